"""How a topic is followed: what is new waits a moment for more of it, a backlog for nothing."""

import asyncio
from itertools import pairwise
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition

from projections.live_feed import Feed

PLACE = TopicPartition("profiles", 0)
APART = 0.05


class Consumer:
    """A topic of one partition: each look brings the next of `takes`, then no more comes."""

    def __init__(self, *takes):
        self.looks = []
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
        self.looks.append(asyncio.get_running_loop().time())
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

    async def position(self, partition):
        return self._at

    def last_stable_offset(self, partition):
        return self._end

    def last_poll_timestamp(self, partition):
        return 1


async def followed(*takes):
    """Return when each look at a topic that brings these came, and the offsets applied."""
    applied = []
    consumer = Consumer(*takes)
    feed = Feed("nowhere:1", "profiles", applied.extend, apart=APART)
    feed.caught_up.set()
    task = asyncio.create_task(feed._follow(consumer))
    async with asyncio.timeout(5):
        while len(consumer.looks) <= len(takes):
            await asyncio.sleep(0.001)
    task.cancel()
    assert [record.offset for record in applied] == list(range(sum(takes)))
    return [after - before for before, after in pairwise(consumer.looks)]


async def test_what_is_new_is_looked_at_a_while_apart():
    assert all(wait >= APART * 0.8 for wait in await followed(1, 3, 49))


@pytest.mark.parametrize("take", [50, 0])
async def test_a_backlog_or_silence_is_not_waited_for(take):
    assert all(wait < APART * 0.8 for wait in await followed(take, take, take))
