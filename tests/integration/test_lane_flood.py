"""Far more than a worker can do: it takes what it has room for, and stays in its group."""

import asyncio
import os
import time

import psutil
import pytest

from tests.support.counting import WORKER, produce, status
from tests.support.waiting import until

pytestmark = pytest.mark.stack

EVENTS, BYTES = 30_000, 8_000  # 240 MB, which no codec makes much less
ROOM = 110 * 2**20  # three batches of 500 in each of four partitions, and what is fetched ahead
SESSION = 12.0  # seconds; standing still for half of it would end the worker


def flood():
    pads = [os.urandom(BYTES // 2).hex().encode() for _ in range(EVENTS // 10)]
    return [
        (b"key-%d" % (n % 500), b'{"value":1,"pad":"%s"}' % pads[n % len(pads)])
        for n in range(EVENTS)
    ]


def test_a_flood_grows_no_memory_and_stops_no_heartbeat(kafka_settings, start_part, monkeypatch):
    monkeypatch.setenv("PAUSE", "3")  # a batch: brokers that are slow look the same
    monkeypatch.setenv("OUTPUTS", "0")
    monkeypatch.setenv("SESSION", str(SESSION))
    asyncio.run(produce(kafka_settings, flood()))
    part = start_part(kafka_settings, WORKER)
    told = lambda: status(kafka_settings) or None  # noqa: E731  # none when it is too busy to say
    until(lambda: (told() or {}).get("ready"), 120, part.tail())
    process, began = psutil.Process(part.pid), until(told)
    least, most, done = process.memory_info().rss, 0, []
    until(lambda: until(told)["steps"]["count"]["events"], 120, "the first batch")
    deadline = time.monotonic() + 2 * SESSION
    while time.monotonic() < deadline:
        most = max(most, process.memory_info().rss)
        done.append(until(told)["steps"]["count"]["events"])
        time.sleep(0.2)
    middle = done[len(done) // 2]
    now = until(lambda: (one := until(told))["steps"]["count"]["events"] > middle and one, 120)
    assert most - least < ROOM, f"{(most - least) >> 20} MiB"
    assert now["steps"]["count"]["lag"] > EVENTS / 4, "the flood was too small to tell"
    assert (now["tenure"], now["generation"]) == (began["tenure"], began["generation"])
