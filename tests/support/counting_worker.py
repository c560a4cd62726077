"""A worker that counts events by key: the lane's tests start it as a process of its own.

Each key's state holds the newest offset applied, as every step's state does. Each
event also gives one output whose id follows from its position.
"""

import asyncio
import os
import sys
from pathlib import Path

os.environ.setdefault("F_LOOP", "uvloop")

import msgspec

from infra.settings import Settings
from models.topics import EVENTS, PROFILES, SCORES
from streams.lane import App, Outbox
from streams.lane.conf import conf
from streams.lane.pages import serve


class Count(msgspec.Struct):
    n: int = 0
    total: int = 0
    offset: int = -1


class Seen(msgspec.Struct):
    value: int = 0


encode, decode = msgspec.json.Encoder().encode, msgspec.json.Decoder(Count).decode
read = msgspec.json.Decoder(Seen).decode

settings = Settings.from_env({k: v for k, v in os.environ.items() if k.startswith("C360_")})
settings = settings.model_copy(update={"session_seconds": float(os.environ.get("SESSION", "8"))})
app = App(
    settings.topic_prefix + "counting",
    topics=[EVENTS, PROFILES, SCORES],
    patience=float(os.environ.get("PATIENCE", "60")),
    **conf(settings) | {"broker_commit_interval": float(os.environ.get("COMMIT", "0.5"))},
)
serve(app)
counts = app.StateTable("counts", source=EVENTS, changelog=PROFILES)
PAUSE = float(os.environ.get("PAUSE", "0"))  # seconds a batch takes, beside its work
OUTPUTS = os.environ.get("OUTPUTS", "1") == "1"
NOTES = os.environ.get("NOTES")  # a file that is told what happens


def note(what):
    if NOTES:
        with Path(NOTES).open("a") as file:
            file.write(f"{settings.instance} {what}\n")


@counts.on_recovered
def recovered(partition):
    note(f"recovered {partition} {len(counts.partition(partition))}")


@counts.on_revoked
def revoked(partition):
    note(f"revoked {partition}")


def apply(partition, record, state, outbox):
    """Count one record, once."""
    key = record.key or b"nobody"
    value = state.get(key)
    known = Count() if value is None else value if isinstance(value, Count) else decode(value)
    if record.offset <= known.offset:
        return
    known.n += 1
    known.total += read(record.value).value if record.value else 0
    known.offset = record.offset
    state.put(key, known)
    if OUTPUTS:
        outbox.send(SCORES, key, b"%d/%d" % (partition, record.offset), record.headers)


async def misbehave(record, outbox):
    """Do what the message says, for the tests of failures."""
    if record.value == b"poison":
        raise RuntimeError("poison")
    if record.value == b"hang":
        await asyncio.sleep(3600)
    if record.value == b"too large":
        outbox.send(SCORES, record.key, os.urandom(9 * 1024 * 1024))


@app.agent(app.source(EVENTS), name="count")
async def count(batches):
    async for batch in batches:
        state = await counts.open(batch)
        outbox = Outbox()
        for record in batch:
            if record.value in (b"poison", b"hang", b"too large"):
                await misbehave(record, outbox)
            else:
                apply(batch.partition, record, state, outbox)
        for key, known in state.changes.items():
            state.put(key, encode(known))
        if PAUSE:
            await asyncio.sleep(PAUSE)
        await app.complete(batch, outbox, state)


if __name__ == "__main__":
    app.finalize()
    app.Worker(loglevel="info", redirect_stdouts=False).execute_from_commandline()
    sys.exit(0)
