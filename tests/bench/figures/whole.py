"""Ingest, worker and API on the machine's two cores: what they take in for long."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing

from models.topics import PROFILES
from tests.bench import load, whole
from tests.bench.harness import Bench, StalledError
from tests.bench.pipeline import Spots

NAME = "whole"
GOALS: dict[str, str] = {}  # half of it is the load of `freshness` and `reads`
REPEAT = True
CONNECTIONS = 16
WARM_UP = 2_000  # touchpoints before the clock runs
UNREAD = 4_000  # records at most: more would be taken in first and worked on afterwards
LOOK = 0.1  # s between looks at how many there are


def measure(bench: Bench) -> dict:
    """Send as many touchpoints as get through, each happening as it is sent."""
    number = bench.fewer(40_000, 4_000)
    posts = whole.batches(bench, WARM_UP + number, happening=True)
    warm = WARM_UP // whole.BATCH
    with (
        whole.running(bench, "whole") as system,
        closing(Spots(system.settings, system.settings.topic(PROFILES))) as spots,
    ):
        load.run(lambda: _send(system, spots, posts[:warm]))
        spots.settled(system.worker, WARM_UP)
        parts = {"ingest": system.ingest, "worker": system.worker, "serve": system.serve}
        before = {name: part.cpu() for name, part in parts.items()}
        begun = time.time()
        load.run(lambda: _send(system, spots, posts[warm:]))
        spots.settled(system.worker, WARM_UP + number)
        return {
            "events_per_second": number / (spots.newest() - begun),
            "cpu_us_per_event": {
                name: (part.cpu() - before[name]) * 1e6 / number for name, part in parts.items()
            },
        }


async def _send(system: whole.Whole, spots: Spots, posts: list[bytes]) -> None:
    """Send all; wait where too many are unread. Raises StalledError when some are refused."""
    room = asyncio.Event()
    looking = asyncio.create_task(_look(spots, room))
    rest: Iterator[bytes] = iter(posts)

    async def one(connection: load.Connection) -> None:
        for post in rest:
            await room.wait()
            answer = await connection.ask(post)
            if answer.status != 200:
                raise StalledError(f"{answer.status}: {answer.body[:200]!r}")
        connection.close()

    connections = await load.connect(system.settings.ingest_port, CONNECTIONS)
    await asyncio.gather(*(one(each) for each in connections))
    looking.cancel()


async def _look(spots: Spots, room: asyncio.Event) -> None:
    while True:
        behind = await asyncio.to_thread(spots.behind)
        (room.set if behind < UNREAD else room.clear)()
        await asyncio.sleep(LOOK)
