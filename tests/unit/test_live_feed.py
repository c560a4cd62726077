"""How a topic is followed: what is new waits a moment for more of it, a backlog for nothing."""

import asyncio
from itertools import pairwise
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition

from projections.live_feed import Feed
from tests.support.idle_clock import run

PLACE = TopicPartition("profiles", 0)
APART = 0.05


class Consumer:
    """A topic of one partition: each look brings the next of `takes`, then no more comes."""

    def __init__(self, *takes):
        self.looks = []
        self.fetches = []  # when the next fetch may leave: at a look, or at the end of a pause
        self._paused = False
        self._takes = list(takes)
        self._end = sum(takes)
        self._at = 0

    def partitions_for_topic(self, topic):
        return {PLACE.partition}

    async def beginning_offsets(self, partitions):
        return {PLACE: 0}

    async def end_offsets(self, partitions):
        return {PLACE: 0}  # nothing is there at the start: all of it is new

    def seek(self, partition, offset):
        self._at = offset

    async def getmany(self, timeout_ms, max_records):
        assert not self._paused  # what is here is thrown away by a look at a paused partition
        self.looks.append(asyncio.get_running_loop().time())
        asyncio.get_running_loop().call_soon(self._fetch)
        if not self._takes:
            await asyncio.sleep(timeout_ms / 1000)
            return {}
        count = self._takes.pop(0)
        if count == 0:
            return {}
        assert count <= max_records
        records = [SimpleNamespace(offset=self._at + n) for n in range(count)]
        self._at += count
        return {PLACE: records}

    def pause(self, *partitions):
        assert partitions == (PLACE,)
        self._paused = True

    def resume(self, *partitions):
        assert partitions == (PLACE,)
        if self._paused:
            self._paused = False
            self._fetch()

    def _fetch(self):
        if not self._paused:
            self.fetches.append(asyncio.get_running_loop().time())

    async def position(self, partition):
        return self._at

    def last_stable_offset(self, partition):
        return self._end

    def last_poll_timestamp(self, partition):
        return 1


async def followed(*takes):
    """Return the times between looks at a topic that brings these, and from fetch to look."""
    applied = []
    consumer = Consumer(*takes)
    feed = Feed("nowhere:1", "profiles", applied.extend, apart=APART)
    feed.caught_up.set()
    task = asyncio.create_task(feed._follow(consumer))
    async with asyncio.timeout(60):
        while len(consumer.looks) <= len(takes):
            await asyncio.sleep(0.001)
    task.cancel()
    assert [record.offset for record in applied] == list(range(sum(takes)))
    apart = [after - before for before, after in pairwise(consumer.looks)]
    fetched = [max(at for at in consumer.fetches if at <= look) for look in consumer.looks[1:]]
    return apart, [look - at for look, at in zip(consumer.looks[1:], fetched, strict=True)]


def test_what_is_new_is_looked_at_a_while_apart():
    apart, _ = run(followed(1, 3, 49))
    assert all(wait >= APART * 0.8 for wait in apart)


def test_what_is_new_is_fetched_after_the_wait_so_that_it_is_new():
    _, ages = run(followed(1, 3, 49))
    assert all(age < APART * 0.2 for age in ages)


@pytest.mark.parametrize("take", [50, 0])
def test_a_backlog_or_silence_is_not_waited_for(take):
    apart, _ = run(followed(take, take, take))
    assert all(wait < APART * 0.8 for wait in apart)
