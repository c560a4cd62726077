"""A fetch taken a list at a time: what aiokafka's own loop gives, and nothing lost on damage."""

import gc
import struct
import weakref
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_UNCOMMITTED, FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from streams.lane.unpack import Unpacked, is_error, taken

PLACE = TopicPartition("events", 3)
ATTRIBUTES = 21  # where they are in a record batch; the base offset is at its beginning
CONTROL = 0x20


def packed(first, number, *, kept=None, attributes=None):
    """Return a record batch of so many records from an offset on; of them those `kept`."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, 0, 1 << 20)
    for at in range(number) if kept is None else kept:
        builder.append(at, 1_000 + at, b"k%d" % (first + at), b"v" * at, [("mark", b"%d" % at)])
    built = builder.build()
    struct.pack_into(">q", built, 0, first)
    struct.pack_into(">i", built, 23, number - 1)  # the last offset stays, compacted or not
    if attributes is not None:
        struct.pack_into(">h", built, ATTRIBUTES, attributes)
    return bytes(built)


def own(batches, offset=0, *, checked=False):
    """Return aiokafka's own parser of a fetch."""
    records = MemoryRecords(b"".join(batches))
    return PartitionRecords(PLACE, records, None, offset, None, None, checked, READ_UNCOMMITTED)


def told(records):
    return [(one.offset, one.key, one.value, tuple(one.headers), one.timestamp) for one in records]


FETCHES = {
    "plain": ([packed(0, 7), packed(7, 5)], 0),
    "from amid a batch": ([packed(0, 7), packed(7, 5)], 4),
    "from the end of one": ([packed(0, 7), packed(7, 5)], 7),
    "compacted": ([packed(0, 9, kept=[1, 5]), packed(9, 4, kept=[0])], 0),
    "compacted to nothing": ([packed(0, 4), packed(4, 6, kept=[]), packed(10, 2)], 0),
    "nothing wanted of it": ([packed(0, 4)], 4),
    "control records": ([packed(0, 3), packed(3, 1, attributes=CONTROL), packed(4, 2)], 0),
    "at its end a control record": ([packed(0, 3), packed(3, 1, attributes=CONTROL)], 0),
    "nothing": ([], 5),
}


@pytest.mark.parametrize("name", FETCHES)
@pytest.mark.parametrize("most", [1, 2, 3, 7, 100])
def test_records_and_position_are_as_aiokafka_has_them(name, most):
    theirs, ours = own(*FETCHES[name]), Unpacked(own(*FETCHES[name]))
    expected, found = list(theirs), []
    while not ours.ended:
        some = ours.take(most)
        assert len(some) <= most
        found += some
        if some and len(some) == most:
            assert ours.next_fetch_offset >= some[-1].offset + 1
    assert told(found) == [one_of(record) for record in expected]
    assert ours.next_fetch_offset == theirs.next_fetch_offset


def one_of(record):
    return (record.offset, record.key, record.value, record.headers, record.timestamp)


def damaged(batch):
    return batch[:-1] + bytes([batch[-1] ^ 1])


def test_what_was_before_a_damaged_batch_is_taken_and_then_the_damage_is_told():
    batches = [packed(0, 3), damaged(packed(3, 2))]
    first = Unpacked(own(batches, checked=True))
    assert [one.offset for one in first.take(100)] == [0, 1, 2]
    assert (first.next_fetch_offset, first.ended) == (3, True)
    again = Unpacked(own(batches[1:], 3, checked=True))
    with pytest.raises(CorruptRecordException):
        again.take(100)
    assert (again.next_fetch_offset, again.ended) == (3, True)


def test_a_fetch_that_is_dropped_is_let_go_of_at_once():
    theirs = own([packed(0, 3)])
    gone = weakref.ref(theirs)
    gc.disable()
    try:
        Unpacked(theirs).take(1)
        del theirs
        assert gone() is None
    finally:
        gc.enable()


class Assigned:
    """What a fetcher knows of one partition: whether it is read, and how far."""

    def __init__(self, position, *, active=True):
        self.active, self.paused, self.position = active, False, position

    def state_value(self, _):
        return self

    def consumed_to(self, position):
        self.position = position


def fetcher(assigned, *batches):
    result = FetchResult(PLACE, assignment=assigned, partition_records=own(batches), backoff=0)
    told_of = []
    return SimpleNamespace(
        _records={PLACE: result}, _notify=told_of.append, _wait_consume_future="more", told=told_of
    )


async def test_a_fetcher_is_asked_for_more_once_all_is_taken():
    assigned = Assigned(0)
    holds = fetcher(assigned, packed(0, 5))
    result = holds._records[PLACE]
    assert len(await taken(holds, PLACE, result, 3)) == 3
    assert (assigned.position, holds.told) == (3, [])
    assert len(await taken(holds, PLACE, result, 3)) == 2
    assert (assigned.position, holds._records, holds.told) == (5, {}, ["more"])


@pytest.mark.parametrize(("position", "active"), [(0, False), (2, True)])
async def test_what_was_fetched_for_another_place_or_owner_is_dropped(position, active):
    assigned = Assigned(position, active=active)
    holds = fetcher(assigned, packed(0, 5))
    assert await taken(holds, PLACE, holds._records[PLACE], 3) == []
    assert (assigned.position, holds._records) == (position, {})


async def test_what_keeps_a_partition_from_being_read_is_told_by_aiokafka():
    async def fetched_records(places):
        raise CorruptRecordException(places)

    error = object()
    assert is_error(error)
    with pytest.raises(CorruptRecordException):
        await taken(SimpleNamespace(fetched_records=fetched_records), PLACE, error, 3)
