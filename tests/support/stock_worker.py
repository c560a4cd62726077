"""A worker of stock Faust that counts events by key, a process of its own: what the lane is beside.

All is as the library comes, but for how soon the group misses a member and recovery complains.
MODE: `count` one event at a time into a table, `take` some at a time.
"""

import os
import sys
from pathlib import Path

import faust
from faust.tables.recovery import Recovery

from infra.settings import Settings
from models.topics import EVENTS

settings = Settings.from_env({k: v for k, v in os.environ.items() if k.startswith("C360_")})
PAUSE = float(os.environ.get("PAUSE", "0"))  # seconds an event takes, beside its work
NOTES = Path(os.environ["NOTES"])  # a file that is told what happens
TABLE = "counts"
Recovery.event_timeout_secs = Recovery.stats_interval = 2.0  # it warns after 30 by itself

(settings.home / settings.instance).mkdir(parents=True, exist_ok=True)
app = faust.App(
    settings.topic_prefix + "stock",
    broker=f"kafka://{settings.brokers}",
    store="memory://",
    topic_partitions=settings.partitions,
    topic_replication_factor=1,
    table_standby_replicas=0,
    broker_session_timeout=6.0,
    broker_heartbeat_interval=1.0,
    datadir=str(settings.home / settings.instance),
    web_enabled=False,
    canonical_url=f"http://{settings.instance}",
)
values = "json" if os.environ.get("MODE") == "take" else "raw"
events = app.topic(
    settings.topic(EVENTS), key_type=bytes, key_serializer="raw", value_serializer=values
)


def note(what):
    with NOTES.open("a") as file:
        file.write(f"{settings.instance} {what}\n")


if os.environ.get("MODE") == "take":

    @app.agent(events, name="take")
    async def take(stream):
        async for some in stream.take(10, within=0.2):
            for one in some:
                note(one["value"])
        note("ended")

else:
    counts = app.Table(
        TABLE, default=int, partitions=settings.partitions, key_type=bytes, value_type=int
    )

    @app.agent(events, name="count")
    async def count(stream):
        async for event in stream.events():
            note("at work")
            await app.sleep(PAUSE)
            counts[event.key] += 1
            note(f"counted {counts[event.key]}")


if __name__ == "__main__":
    app.finalize()
    sys.argv = ["stock", "worker", "--without-web", "-l", "info"]
    app.main()
