"""Group commits: what several requests bring goes into few writes, and each learns its places."""

import asyncio
from collections import deque
from types import SimpleNamespace

import pytest
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2
from aiokafka.record.memory_records import MemoryRecords

from streams.ingest.log import Log
from streams.ingest.writes import Place, Share, Write, pack
from tests.support.idle_clock import run

HEADERS = [("format", b"native")]
APART = 0.2  # s


def share(write, *numbers):
    return Share(write, list(numbers), [(b"k%d" % n, b"value-%d" % n) for n in numbers])


def values(batch):
    records = MemoryRecords(bytes(batch._build()))
    return [record.value for record in records.next_batch()]


async def test_several_requests_go_into_one_write_in_their_order():
    one, two = Write(3, HEADERS, 1), Write(1, HEADERS, 2)
    queue = deque([share(one, 0, 2), share(two, 0), share(one, 1)])
    batch, taken = pack(queue)
    assert not queue
    assert values(batch) == [b"value-0", b"value-2", b"value-0", b"value-1"]
    assert [part.indexes for part in taken] == [[0, 2], [0], [1]]


async def test_what_does_not_fit_goes_into_the_next_write_and_nothing_is_written_twice():
    write = Write(50, HEADERS, 1)
    queue = deque([share(write, *range(50))])
    written = []
    writes = 0
    while queue:
        batch, taken = pack(queue, 500)
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
    first, taken = pack(queue, 500)
    assert values(first) == [b"x" * 2_000]
    assert [part.indexes for part in taken] == [[0]]
    assert values(pack(queue, 500)[0]) == [b"y"]


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
    log.connection.partitions = 4
    write = Write(5, HEADERS, 1)
    keys = [b"user_id:ana", b"user_id:bo", None, b"user_id:ana", b"user_id:cy"]
    shares = log._shared_out(write, keys, [b"%d" % n for n in range(5)])
    assert sorted(index for one in shares.values() for index in one.indexes) == [0, 1, 2, 3, 4]
    for partition, one in shares.items():
        assert one.indexes == sorted(one.indexes)
        for index, (key, value) in zip(one.indexes, one.records, strict=True):
            assert (key, value) == (keys[index], b"%d" % index)
            assert key is None or (murmur2(key) & 0x7FFFFFFF) % 4 == partition


class Slow:
    """A producer whose writes are done when the test says so."""

    def __init__(self):
        self.writes = []  # (when, partition, records, done)

    async def send_batch(self, batch, topic, *, partition):
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self.writes.append((loop.time(), partition, batch.record_count(), done))
        return done


def writing():
    log = Log("nowhere:1", "touchpoints", 5.0, 1_000)
    log.connection.partitions = 4
    log.connection.producer = Slow()
    return log, log.connection.producer.writes


async def asked(log, *users):
    keys = [b"user_id:%d" % user for user in users]
    task = asyncio.create_task(log.append(keys, keys, HEADERS, 1))
    await asyncio.sleep(0)
    return task


def acknowledge(writes, first=0):
    for _, _, _, done in writes:
        if not done.done():
            done.set_result(SimpleNamespace(offset=first))


async def until(there):
    async with asyncio.timeout(60):
        while not there():
            await asyncio.sleep(0.001)


async def test_after_a_pause_a_call_is_written_at_once_to_all_its_partitions_together():
    log, writes = writing()
    call = await asked(log, *range(20))
    for _ in range(5):
        await asyncio.sleep(0)
    assert sorted(partition for _, partition, _, _ in writes) == [0, 1, 2, 3]
    assert sum(records for _, _, records, _ in writes) == 20
    acknowledge(writes, 7)
    assert min(place.offset for place in await call) == 7


def test_calls_that_come_while_a_write_is_on_the_way_begin_together_a_moment_after_it(monkeypatch):
    monkeypatch.setattr("streams.ingest.log.APART_SECONDS", APART)
    run(called_while_a_write_is_on_the_way())


async def called_while_a_write_is_on_the_way():
    log, writes = writing()
    calls = [await asked(log, 0)]
    await until(lambda: writes)
    calls += [await asked(log, *range(1, 20)), await asked(log, *range(20, 40))]
    await until(lambda: len(writes) == 4)
    assert {partition for _, partition, _, _ in writes} == {0, 1, 2, 3}
    began = [when for when, _, _, _ in writes]
    assert began[1:] == pytest.approx([began[0] + APART] * 3)
    acknowledge(writes)
    await until(lambda: len(writes) == 5)
    assert sum(records for _, _, records, _ in writes) == 40
    acknowledge(writes)
    await asyncio.gather(*calls)


async def test_who_calls_once_he_is_answered_waits_for_nobody(monkeypatch):
    monkeypatch.setattr("streams.ingest.log.APART_SECONDS", 60.0)
    log, writes = writing()
    for number in range(3):
        call = await asked(log, 1)
        await until(lambda: len(writes) > number)  # noqa: B023 - within its turn
        acknowledge(writes)
        await call
