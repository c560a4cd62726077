"""What the lane writes as record batches, every reader of Kafka's format reads."""

import os

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from streams.lane.records import BATCH_BYTES, WHOLE_BYTES, RecordBatch, batches

ZSTD = 4


def rows_of(count, size=300):
    return [
        (b"key-%d" % n, b'{"n":%d,"pad":"%s"}' % (n, b"x" * size), (("mark", b"m%d" % n),))
        for n in range(count)
    ]


def read(built):
    """Read record batches as a consumer does, checksums first."""
    memory, found = MemoryRecords(bytes(built)), []
    while memory.has_next():
        batch = memory.next_batch()
        assert batch.validate_crc()
        found.append((batch, list(batch)))
    return found


def test_rows_come_back_as_they_were_in_order_and_compressed():
    rows = [*rows_of(1_000), (None, b"keyless", ()), (b"gone", None, ())]
    [batch] = batches(rows, timestamp=123)
    [(header, records)] = read(batch._build())
    assert [(r.key, r.value, tuple(r.headers)) for r in records] == rows
    assert [r.offset for r in records] == list(range(1_002))
    assert {r.timestamp for r in records} == {123}
    assert header.compression_type == ZSTD
    assert batch.record_count() == 1_002
    assert batch.size() == len(batch._build()) < 20_000


def test_few_records_go_as_they_are():
    [batch] = batches(rows_of(1, size=10), timestamp=1)
    [(header, records)] = read(batch._build())
    assert header.compression_type == 0
    assert records[0].key == b"key-0"


def test_what_is_larger_than_one_batch_becomes_several_in_order():
    rows = [(b"k", os.urandom(BATCH_BYTES // 3), ()) for _ in range(7)]
    found = [record for batch in batches(rows, 1) for record in read(batch._build())[0][1]]
    assert [record.value for record in found] == [value for _, value, _ in rows]


def test_what_must_be_there_together_is_one_record_batch():
    rows = [(b"k", os.urandom(BATCH_BYTES // 3), ()) for _ in range(7)]
    [batch] = batches(rows, 1, WHOLE_BYTES)
    assert batch.record_count() == 7


def test_a_record_larger_than_a_batch_goes_alone():
    large = os.urandom(2 * BATCH_BYTES)
    counts = [b.record_count() for b in batches([(b"a", b"1", ()), (b"b", large, ())], 1)]
    assert counts == [1, 1]


def test_nothing_makes_no_batch():
    assert list(batches([], 1)) == []


def test_the_producers_identity_is_in_the_bytes_and_a_retry_sends_the_same():
    [batch] = batches(rows_of(50), timestamp=1)
    batch._set_producer_state(7, 3, 41)
    built = batch._build()
    [(header, _)] = read(built)
    assert (header.producer_id, header.producer_epoch, header.base_sequence) == (7, 3, 41)
    assert batch._build() is built


@pytest.mark.parametrize("name", [n for n in vars(BatchBuilder) if n != "append" and n[:2] != "__"])
def test_it_has_all_that_a_producer_may_ask_of_its_own_builder(name):
    assert name == "_serialize" or hasattr(RecordBatch, name)
