"""A million customers on `profiles`, put there directly: real records under other names."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from hashlib import blake2b
from itertools import islice

import httpx

from infra.settings import Settings
from models.placing import java_hash
from models.topics import PROFILES
from streams.lane.publisher import Publisher
from streams.lane.restore import MARK, mark
from tests.bench.core import Core
from tests.bench.harness import Bench, Running, StalledError

PAST = 8_000  # touchpoints that the records come from: every customer of that world as it ends
PORTION = 20_000
EPOCH = 1_700_000_000_000  # of the owner that wrote them, long ago
PATIENCE = 240.0  # s
STILL = 0.2  # s of CPU a second
NEVER = 10**6  # s: what they left undone in the past is not concluded while anything is measured
_filled: dict[tuple[Bench, int], tuple[Settings, float]] = {}


def filled(bench: Bench, number: int) -> tuple[Settings, float]:
    """Return settings with so many customers, made once a run, and their mean size in bytes."""
    if (bench, number) not in _filled:
        settings = bench.settings("customers", backfill_grace_seconds=NEVER)
        bench.topics(settings)
        began = time.monotonic()
        size = asyncio.run(_fill(settings, copies(records(bench), number)))
        bench.say(f"{number:,} customers in {time.monotonic() - began:.0f} s")
        _filled[bench, number] = (settings, size / number)
    return _filled[bench, number]


def records(bench: Bench) -> list[tuple[bytes, bytes]]:
    """Return every customer of a simulated world: known, anonymous, merged into another."""
    core = Core(bench.judge())
    core.process(bench.touchpoints(PAST))
    return list(core.customers.items())


def copies(of: list[tuple[bytes, bytes]], number: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield so many customers, in no order of their keys."""
    for at in range(number):
        key, record = of[at % len(of)]
        named = name_of(at)
        yield named, record.replace(key, named)


def name_of(number: int) -> bytes:
    """Return the key of a copy, in no order."""
    return b"c_" + blake2b(b"%d" % number, digest_size=10).hexdigest().encode()


async def _fill(settings: Settings, customers: Iterator[tuple[bytes, bytes]]) -> int:
    topic, width, size = settings.topic(PROFILES), settings.partitions, 0
    publisher = Publisher(settings.brokers, settings.topic_prefix, {topic: width})
    await publisher.start()
    try:
        while portion := list(islice(customers, PORTION)):
            rows: dict = {}
            headers = ((MARK, mark(EPOCH, 0)),)
            for key, record in portion:
                size += len(record)
                place = (topic, java_hash(key) % width)
                rows.setdefault(place, []).append((key, record, headers))
            await publisher.write(rows)
    finally:
        await publisher.stop()
    return size


def status(settings: Settings) -> dict:
    """Return what a worker says of itself; nothing while it does not answer."""
    with suppress(httpx.HTTPError):
        return httpx.get(f"http://127.0.0.1:{settings.worker_port}/status", timeout=30).json()
    return {}


def when(said, settings: Settings, running: Running, patience: float = PATIENCE) -> float:
    """Wait until a worker's status is as `said` wants; return the time, s. Raises StalledError."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        running.check()
        if (found := status(settings)) and said(found):
            return time.monotonic()
        time.sleep(0.05)
    raise StalledError(f"not so after {patience:.0f} s\n{running.tail()}")


def still(running: Running) -> None:
    """Wait until a process does next to nothing: a worker has then set its customers' alarms."""
    deadline, spent = time.monotonic() + PATIENCE, running.cpu()
    while time.monotonic() < deadline:
        time.sleep(1)
        before, spent = spent, running.cpu()
        if spent - before < STILL:
            return
    raise StalledError(f"busy for {PATIENCE:.0f} s\n{running.tail()}")


def ready(found: dict) -> bool:
    """Whether state is recovered and streams have begun."""
    return found["ready"]


def folded(found: dict) -> bool:
    """Whether a batch of events went all the way."""
    return found["steps"]["fold"]["batches"] > 0
