"""The lane alone: decode JSON, count and sum by key, changelog acknowledged."""

import os
import sys
import time

os.environ.setdefault("F_LOOP", "uvloop")

from models.topics import EVENTS, PROFILES
from streams.lane import App, Outbox
from streams.lane.conf import conf
from streams.lane.garbage import look_seldom
from tests.bench.peers.job import MARK, Total, decode, encode, read, settings

app = App(settings.topic_prefix + "lane", topics=[EVENTS, PROFILES], **conf(settings))
totals = app.StateTable("totals", source=EVENTS, changelog=PROFILES)
seen = 0


@app.agent(app.source(EVENTS), name="count")
async def count(batches):
    """Fold each batch by key; a key is read once and written once a batch."""
    async for batch in batches:
        state = await totals.open(batch)
        changed: dict[bytes, Total] = {}
        for record in batch:
            key = record.key
            known = changed.get(key)
            if known is None:
                value = state.get(key)
                known = changed[key] = Total() if value is None else decode(value)
            known.n += 1
            known.total += read(record.value).amount
        for key, known in changed.items():
            state.put(key, encode(known))
        note(len(batch))
        await app.complete(batch, Outbox(), state)


def note(number: int) -> None:
    """Say when so many events have been processed that the clock may start."""
    global seen
    before, seen = seen, seen + number
    if before < MARK <= seen:
        print("mark", seen, time.time_ns() // 1_000_000, flush=True)


if __name__ == "__main__":
    app.finalize()
    look_seldom()
    sys.argv = ["lane", "worker"]
    app.Worker(loglevel="warn", redirect_stdouts=False).execute_from_commandline()
