"""How long an unmerge takes: a partition of a million events read again for those who wait.

As the worker reads it, alone on its core: from the broker, by key, own events folded.
"""

import asyncio
import time

import uvloop

from infra.admin import create_topics
from models.events import CustomerRegrouped, Wire, encode_event, made, parse
from models.events.clock import EPOCH
from models.identity import identify
from models.topics import EVENTS
from streams.lane import Outbox
from streams.lane.history import history
from streams.lane.publisher import Publisher
from streams.refold import Pass
from tests.bench.harness import Bench

NAME = "unmerge"
GOALS: dict[str, str] = {}
EVENTS_THERE = 1_000_000
DIFFERENT = 40_000  # events, written again and again: what they say does not matter here
WAITING = 50  # customers, all regrouped at the end
PORTION = 4_000


def measure(bench: Bench) -> dict:
    """Write the log, then read it for fifty customers with a usual history."""
    settings = bench.settings("unmerge", partitions=1)
    create_topics(settings)
    place = (settings.topic(EVENTS), 0)
    count = EVENTS_THERE // bench.fewer(1, 25)
    rows = _rows(bench, min(DIFFERENT, count))
    waiting = sorted({key for key, _, _ in rows})[:WAITING]
    asyncio.run(_write(settings.brokers, settings.topic_prefix, place, rows, count, waiting))
    with bench.pinned(bench.there):
        passes = [
            uvloop.run(_read(settings.brokers, place, count, waiting)) for _ in range(bench.runs)
        ]
    best = min(passes, key=lambda one: one["seconds_per_million"])
    return best | {"events": count, "bytes_per_event": sum(len(row[1]) for row in rows) / len(rows)}


def _rows(bench: Bench, count: int) -> list[tuple[bytes, bytes, tuple]]:
    log = "touchpoints/0"
    events = [
        identify(parse(one.value, Wire.of(one.headers, 0, "touchpoints", 0, at)), log, at)
        for at, one in enumerate(bench.touchpoints(count))
    ]
    return [(one.customer_id.encode(), encode_event(one), ()) for one in events]


async def _write(brokers, prefix, place, rows, count, waiting) -> None:
    publisher = Publisher(brokers, prefix, {place[0]: 1})
    await publisher.start()
    for start in range(0, count, PORTION):
        some = [rows[(start + n) % len(rows)] for n in range(PORTION)]
        await publisher.write({place: some})
    await publisher.write({place: [(key, _regrouped(key), ()) for key in waiting]})
    await publisher.stop()


def _regrouped(key: bytes) -> bytes:
    event = made(
        CustomerRegrouped,
        event_id=f"regrouped:{key.decode()}",
        occurred_at=EPOCH,
        received_at=EPOCH,
        customer_id=key.decode(),
        root=key.decode(),
        generation=0,
        others=0,
        unmerge_id="bench",
        by="bench",
        reason="",
    )
    return encode_event(event)


async def _read(brokers, place, count, waiting) -> dict:
    going, outbox = Pass(0, {key: count + n for n, key in enumerate(waiting)}), Outbox()
    begun, cpu, longest = time.perf_counter(), time.process_time(), 0.0
    async for _, records in history(brokers, place, going.end):
        at = time.perf_counter()
        going.take(records, outbox)
        longest = max(longest, time.perf_counter() - at)
        await asyncio.sleep(0)
    assert len(outbox) == len(waiting)
    millions = count / 1e6
    return {
        "seconds_per_million": (time.perf_counter() - begun) / millions,
        "cpu_seconds_per_million": (time.process_time() - cpu) / millions,
        "longest_turn_ms": longest * 1e3,
    }
