"""Group commits: what several requests bring goes into few writes, and each learns its places."""

import asyncio
from collections import deque

from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from streams.ingest.log import Log
from streams.ingest.writes import Place, Share, Write, pack

HEADERS = [("format", b"native")]


class Producer:
    """Makes batches as aiokafka's does, of at most `room` bytes."""

    def __init__(self, room):
        self.room = room

    def create_batch(self):
        return BatchBuilder(self.room, 0)


def share(write, *numbers):
    return Share(write, list(numbers), [(b"k%d" % n, b"value-%d" % n) for n in numbers])


def values(batch):
    records = MemoryRecords(bytes(batch._build()))
    return [record.value for record in records.next_batch()]


async def test_several_requests_go_into_one_write_in_their_order():
    one, two = Write(3, HEADERS, 1), Write(1, HEADERS, 2)
    queue = deque([share(one, 0, 2), share(two, 0), share(one, 1)])
    batch, taken = pack(Producer(10_000), queue)
    assert not queue
    assert values(batch) == [b"value-0", b"value-2", b"value-0", b"value-1"]
    assert [part.indexes for part in taken] == [[0, 2], [0], [1]]


async def test_what_does_not_fit_goes_into_the_next_write_and_nothing_is_written_twice():
    write = Write(50, HEADERS, 1)
    queue = deque([share(write, *range(50))])
    written = []
    writes = 0
    while queue:
        batch, taken = pack(Producer(500), queue)
        got = values(batch)
        for part in taken:
            write.put(part.indexes, 3, len(written))
        written += got
        writes += 1
    assert writes > 1
    assert written == [b"value-%d" % n for n in range(50)]
    assert write.done.done()
    assert write.places == [Place(3, n) for n in range(50)]


async def test_a_record_larger_than_a_write_goes_alone():
    write = Write(2, HEADERS, 1)
    huge = Share(write, [0, 1], [(None, b"x" * 2_000), (b"k", b"y")])
    queue = deque([huge])
    first, taken = pack(Producer(500), queue)
    assert values(first) == [b"x" * 2_000]
    assert [part.indexes for part in taken] == [[0]]
    assert values(pack(Producer(500), queue)[0]) == [b"y"]


async def test_a_call_is_done_when_all_its_parts_are_and_each_knows_its_place():
    write = Write(3, HEADERS, 1)
    write.put([0, 2], 1, 40)
    await asyncio.sleep(0)
    assert not write.done.done()
    write.put([1], 0, 7)
    assert write.done.done()
    assert write.places == [Place(1, 40), Place(0, 7), Place(1, 41)]


async def test_a_call_of_which_one_part_failed_has_failed():
    write = Write(2, HEADERS, 1)
    write.put([0], 1, 40)
    write.fail(KafkaError("no"))
    write.put([1], 0, 7)
    assert isinstance(write.done.exception(), KafkaError)


async def test_records_are_shared_out_as_javas_partitioner_does():
    log = Log("nowhere:1", "touchpoints", 1.0, 10)
    log._partitions = 4
    write = Write(5, HEADERS, 1)
    keys = [b"user_id:ana", b"user_id:bo", None, b"user_id:ana", b"user_id:cy"]
    shares = log._shared_out(write, keys, [b"%d" % n for n in range(5)])
    assert sorted(index for one in shares.values() for index in one.indexes) == [0, 1, 2, 3, 4]
    for partition, one in shares.items():
        assert one.indexes == sorted(one.indexes)
        for index, (key, value) in zip(one.indexes, one.records, strict=True):
            assert (key, value) == (keys[index], b"%d" % index)
            assert key is None or (murmur2(key) & 0x7FFFFFFF) % 4 == partition
