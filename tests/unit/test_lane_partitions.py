"""Partitions do not wait for each other, and the batches of one keep their order."""

import asyncio

import pytest

from streams.lane import Batch, Record
from streams.lane.partitions import Partitions


def batch(partition, offset, tenure=1):
    return Batch("events", partition, (Record(offset, b"k", b"v"),), tenure)


class Source:
    """A stream of batches that stays open, as Faust's does."""

    def __init__(self, *batches):
        self.batches = asyncio.Queue()
        for one in batches:
            self.batches.put_nowait(one)

    def __aiter__(self):
        return self

    async def __anext__(self):
        return await self.batches.get()


@pytest.fixture
async def started():
    tasks = []

    def start(source, agent, current=lambda _: True, most=1):
        partitions = Partitions(current, lambda _: most)
        tasks.append(asyncio.create_task(partitions.run("events", source, agent)))
        return partitions, tasks[-1]

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def settle():
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_partition_that_waits_holds_up_no_other_and_only_its_own_order(started):
    acknowledged, done = asyncio.Event(), []

    async def agent(batches):
        async for one in batches:
            if one.partition == 0:
                await acknowledged.wait()
            done.append((one.partition, one.last))

    source = Source(batch(0, 1), batch(0, 2), batch(1, 1), batch(1, 2))
    partitions, _ = started(source, agent)
    await settle()
    assert done == [(1, 1), (1, 2)]
    assert set(partitions.in_hand) == {("events", 0)}
    acknowledged.set()
    await settle()
    assert done[2:] == [(0, 1), (0, 2)]
    assert not partitions.in_hand


async def test_what_is_handed_to_a_topic_goes_the_way_of_what_its_stream_brings(started):
    done = []

    async def agent(batches):
        async for one in batches:
            done.append((one.partition, one.last))

    partitions, task = started(Source(batch(0, 1)), agent)
    partitions.hand(batch(0, 0))  # its agent does not run yet
    await settle()
    partitions.hand(batch(0, 2))
    partitions.hand(batch(1, 1))
    await settle()
    assert done == [(0, 1), (0, 2), (1, 1)]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    partitions.hand(batch(0, 3))  # nor any more: it is left undone, and so uncommitted
    await settle()
    assert done[3:] == []


async def test_a_topic_has_one_agent(started):
    async def agent(batches):
        async for _ in batches:
            pass

    partitions, first = started(Source(batch(0, 1)), agent)
    await settle()
    with pytest.raises(ValueError, match="events has an agent already"):
        await partitions.run("events", Source(), agent)
    partitions.hand(batch(0, 2))
    assert not first.done()


async def test_a_batch_that_waited_while_its_tenure_ended_is_not_begun(started):
    tenure, done = [1], []

    async def agent(batches):
        async for one in batches:
            done.append((one.tenure, one.last))
            tenure[0] = 2  # meanwhile the partition goes, and comes back

    source = Source(batch(0, 1), batch(0, 2), batch(0, 2, tenure=2))
    started(source, agent, lambda one: one.tenure == tenure[0])
    await settle()
    assert done == [(1, 1), (2, 2)]


async def test_an_agent_that_waits_for_nothing_leaves_others_their_turn(started):
    turns = []

    async def agent(batches):
        async for one in batches:
            turns.append(one.partition)

    started(Source(*(batch(n % 2, n) for n in range(20))), agent)
    await settle()
    assert turns[:10] != [0] * 10
    assert {0, 1} <= set(turns[:6])


async def test_ending_ends_every_run_and_leaves_nothing_in_hand(started):
    ended = []

    async def agent(batches):
        try:
            async for _ in batches:
                await asyncio.sleep(3600)
        finally:
            ended.append(1)

    partitions, task = started(Source(batch(0, 1), batch(1, 1)), agent)
    await settle()
    assert len(partitions.in_hand) == 2
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert ended == [1, 1]


async def test_what_came_while_a_batch_was_at_work_begins_as_one_no_longer_than_a_full_one(started):
    gate, begun = asyncio.Event(), []

    async def agent(batches):
        async for one in batches:
            begun.append(([record.offset for record in one], one.deliveries()))
            await gate.wait()

    started(Source(*(batch(0, n) for n in range(1, 7))), agent, most=3)
    await settle()
    assert begun == [([1, 2, 3], (1, 2, 3))]
    gate.set()
    await settle()
    assert begun[1:] == [([4, 5, 6], (4, 5, 6))]


async def test_batches_of_two_tenures_are_never_put_together(started):
    begun, tenure = [], [1]

    async def agent(batches):
        async for one in batches:
            begun.append(([record.offset for record in one], one.tenure))
            tenure[0] = 2

    source = Source(batch(0, 1), batch(0, 2), batch(0, 2, tenure=2), batch(0, 3, tenure=2))
    started(source, agent, lambda one: one.tenure == tenure[0], most=9)
    await settle()
    assert begun == [([1, 2], 1), ([2, 3], 2)]


async def test_one_batch_that_is_larger_than_a_full_one_begins_alone(started):
    begun = []

    async def agent(batches):
        async for one in batches:
            begun.append(len(one))

    large = Batch("events", 0, tuple(Record(n, b"k", b"v") for n in range(5)), 1)
    started(Source(large, batch(0, 5), batch(0, 6)), agent, most=2)
    await settle()
    assert begun == [5, 2]
