"""Who waits for a partition shares its next record batch, and hears of the own rows alone."""

import asyncio
import os
from types import SimpleNamespace

import pytest
from aiokafka.errors import KafkaError

from streams.lane.pipeline import MOST, Busy
from streams.lane.publisher import Publisher
from streams.record_batch import BATCH_BYTES

PLACE = ("t", 0)


class Producer:
    """aiokafka's, as far as it is used: a partition has one batch waiting at a time."""

    def __init__(self):
        self.waiting = {}
        self.counts = []
        self.end = 100
        self._drained = asyncio.Condition()
        self.known = {"t": {0, 1}}
        self.client = SimpleNamespace(
            cluster=SimpleNamespace(partitions_for_topic=lambda topic: self.known.get(topic))
        )
        self._message_accumulator = self
        self._batches = self.waiting
        self._closed, self._exception = False, None

    def _append_batch(self, batch, place):
        assert place not in self.waiting
        self.waiting[place] = batch, asyncio.get_running_loop().create_future()
        return SimpleNamespace(future=self.waiting[place][1])

    async def send_batch(self, batch, topic, *, partition):
        if self._exception is not None:
            raise self._exception
        async with self._drained:
            await self._drained.wait_for(lambda: (topic, partition) not in self.waiting)
        return asyncio.shield(self._append_batch(batch, (topic, partition)).future)

    async def drain(self, place=PLACE):
        """Take what waits, as the sender does; return what acknowledges it."""
        batch, future = self.waiting.pop(place)
        batch._set_producer_state(1, 0, 0)
        count = batch.record_count()
        self.counts.append(count)
        async with self._drained:
            self._drained.notify_all()

        def acknowledge():
            future.set_result(SimpleNamespace(offset=self.end))
            self.end += count

        return acknowledge


@pytest.fixture
async def publisher():
    made = Publisher("nowhere", "", {"t": 2})
    made._producer = Producer()
    return made


def rows(count):
    return [(b"k%d" % n, b"v", ()) for n in range(count)]


def begin(publisher, some, place=PLACE, **how):
    return asyncio.ensure_future(publisher.write({place: some}, **how))


async def settled():
    for _ in range(10):
        await asyncio.sleep(0)


async def test_all_who_wait_behind_a_batch_go_as_one_and_each_is_told_where_its_own_end(publisher):
    first = begin(publisher, rows(2))
    await settled()
    acknowledge = await publisher._producer.drain()
    after = [begin(publisher, rows(count)) for count in (3, 1, 4)]
    await settled()
    acknowledge()
    assert await first == {PLACE: 102}
    (await publisher._producer.drain())()
    assert [await one for one in after] == [{PLACE: 105}, {PLACE: 106}, {PLACE: 110}]
    assert publisher._producer.counts == [2, 8]


async def test_nobody_hears_before_the_brokers_have_the_own_rows(publisher):
    first = begin(publisher, rows(1))
    await settled()
    acknowledge = await publisher._producer.drain()
    late = begin(publisher, rows(1))
    await settled()
    acknowledge()
    await first
    await settled()
    assert not late.done()


async def test_who_gives_up_waiting_leaves_the_others_theirs(publisher):
    gone, stays = begin(publisher, rows(1)), begin(publisher, rows(1))
    await settled()
    gone.cancel()
    await settled()
    (await publisher._producer.drain())()
    assert await stays == {PLACE: 102}


async def test_what_must_be_there_together_shares_its_batch_with_nobody(publisher):
    large = [(b"k", os.urandom(BATCH_BYTES // 3), ()) for _ in range(7)]
    writes = [begin(publisher, rows(1)), begin(publisher, large, whole=True)]
    writes.append(begin(publisher, rows(1)))
    for _ in writes:
        await settled()
        (await publisher._producer.drain())()
    assert [await one for one in writes] == [{PLACE: 101}, {PLACE: 108}, {PLACE: 109}]
    assert publisher._producer.counts == [1, 7, 1]


async def test_what_is_larger_than_one_batch_goes_as_several_in_order(publisher):
    large = [(b"k", os.urandom(BATCH_BYTES // 3), ()) for _ in range(5)]
    writing = begin(publisher, large)
    for _ in range(3):
        await settled()
        (await publisher._producer.drain())()
    assert await writing == {PLACE: 105}
    assert publisher._producer.counts == [2, 2, 1]


async def test_what_finds_room_is_handed_over_before_anybody_else_has_a_turn(publisher):
    writing = publisher.write({PLACE: rows(2), ("t", 1): rows(3)})
    writing.send(None)
    assert {
        place: one.record_count() for place, (one, _) in publisher._producer.waiting.items()
    } == {
        PLACE: 2,
        ("t", 1): 3,
    }
    writing.close()


async def test_nobody_overtakes_who_waits_for_a_turn(publisher):
    writes = [begin(publisher, rows(1)), begin(publisher, rows(2), whole=True)]
    await settled()
    first = await publisher._producer.drain()
    writes.append(begin(publisher, rows(4)))  # there is room, and somebody who came before
    for _ in range(2):
        await settled()
        (await publisher._producer.drain())()
    first()
    await asyncio.gather(*writes)
    assert publisher._producer.counts == [1, 2, 4]


async def test_a_topic_that_was_not_heard_of_is_asked_for_by_the_producer(publisher):
    publisher._producer.known = {}
    writing = begin(publisher, rows(1))
    await settled()
    (await publisher._producer.drain())()
    assert await writing == {PLACE: 101}


async def test_what_the_brokers_refuse_is_told_to_all_who_wait(publisher):
    writes = [begin(publisher, rows(1)), begin(publisher, rows(2))]
    await settled()
    _, future = publisher._producer.waiting.pop(PLACE)
    future.set_exception(KafkaError("full"))
    for one in writes:
        with pytest.raises(KafkaError, match="full"):
            await one


async def test_a_producer_that_has_failed_says_so_at_the_next_write(publisher):
    publisher._producer._exception = KafkaError("fenced")
    with pytest.raises(KafkaError, match="fenced"):
        await publisher.write({PLACE: rows(1)})


async def test_nothing_is_sent_for_nothing(publisher):
    assert await publisher.write({PLACE: []}) == {PLACE: 0}


def test_a_broker_is_busy_when_it_has_as_many_requests_as_may_be_and_no_longer():
    busy = Busy()
    for _ in range(MOST):
        assert 1 not in busy
        busy.add(1)
    assert 1 in busy
    assert 2 not in busy
    busy.remove(1)
    assert 1 not in busy
