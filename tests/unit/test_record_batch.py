"""What the lane writes as record batches, every reader of Kafka's format reads."""

import os
from types import SimpleNamespace

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from infra import zstd
from streams.record_batch import BATCH_BYTES, RecordBatch

ZSTD = 4


def rows_of(count, size=300):
    return [
        (b"key-%d" % n, b'{"n":%d,"pad":"%s"}' % (n, b"x" * size), (("mark", b"m%d" % n),))
        for n in range(count)
    ]


def filled(rows, timestamp=1):
    batch = RecordBatch()
    assert batch.fill(iter(rows), timestamp) is None
    return batch


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
    batch = filled(rows, timestamp=123)
    [(header, records)] = read(batch._build())
    assert [(r.key, r.value, tuple(r.headers)) for r in records] == rows
    assert [r.offset for r in records] == list(range(1_002))
    assert {r.timestamp for r in records} == {123}
    assert header.compression_type == ZSTD
    assert batch.record_count() == 1_002
    assert batch.size() == len(batch._build()) < 20_000


@pytest.mark.parametrize("size", [0, 1, 200])
def test_few_records_are_compressed_too(size):
    batch = filled([(b"k", b"v" * size, ())])
    [(header, [record])] = read(batch._build())
    assert header.compression_type == ZSTD
    assert (record.key, record.value) == (b"k", b"v" * size)


def test_records_are_packed_in_memory_that_is_kept(monkeypatch):
    asked = []
    monkeypatch.setattr(zstd._kept, "packer", SimpleNamespace(compress=lambda r: asked.append(r)))
    with pytest.raises(TypeError):
        filled(rows_of(3))._build()
    assert len(asked) == 1


def test_a_row_that_has_no_place_is_given_back_and_the_batch_takes_no_more():
    batch = RecordBatch()
    rows = iter([(b"k%d" % n, os.urandom(BATCH_BYTES // 3), ()) for n in range(4)])
    key, _, _ = batch.fill(rows, 1)
    assert key == b"k2"
    assert not batch.open
    assert [record.key for record in read(batch._build())[0][1]] == [b"k0", b"k1"]
    assert next(rows)[0] == b"k3"


def test_a_record_larger_than_a_batch_goes_alone():
    batch = RecordBatch()
    large = (b"b", os.urandom(2 * BATCH_BYTES), ())
    assert batch.fill(iter([large, (b"c", b"1", ())]), 1) == (b"c", b"1", ())
    assert batch.record_count() == 1


def test_rows_that_come_later_bear_their_own_time_until_the_producer_takes_the_batch():
    batch = filled([(b"a", b"1", ())], timestamp=5)
    assert batch.open
    assert batch.fill(iter([(b"b", b"2", ())]), 9) is None
    batch._set_producer_state(7, 3, 41)
    assert not batch.open
    [(_, records)] = read(batch._build())
    assert [(r.offset, r.key, r.timestamp) for r in records] == [(0, b"a", 5), (1, b"b", 9)]


def test_the_producers_identity_is_in_the_bytes_and_a_retry_sends_the_same():
    batch = filled(rows_of(50))
    batch._set_producer_state(7, 3, 41)
    built = batch._build()
    [(header, _)] = read(built)
    assert (header.producer_id, header.producer_epoch, header.base_sequence) == (7, 3, 41)
    assert batch._build() is built


@pytest.mark.parametrize("name", [n for n in vars(BatchBuilder) if n != "append" and n[:2] != "__"])
def test_it_has_all_that_a_producer_may_ask_of_its_own_builder(name):
    assert name == "_serialize" or hasattr(RecordBatch, name)
