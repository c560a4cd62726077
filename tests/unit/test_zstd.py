"""What any client packed is unpacked, by consumers too, and what is broken is refused."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import cramjam
import pytest
import zstandard
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords

from infra import zstd
from streams.record_batch import RecordBatch

TEXT = b'{"type":"page_viewed","path":"/a"}' * 400
PACKERS = {
    "with its size": zstandard.ZstdCompressor(level=1).compress,
    "without its size": zstandard.ZstdCompressor(write_content_size=False).compress,
    "by cramjam": lambda text: bytes(cramjam.zstd.compress(text)),
}
# A frame that says it holds a terabyte; three bytes follow.
BOASTS = b"\x28\xb5\x2f\xfd\xc0\x00" + (1 << 40).to_bytes(8, "little") + b"\x19\x00\x00abc"


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_what_was_packed_comes_back(pack):
    assert zstd.unpacked(pack(TEXT)) == TEXT
    assert zstd.unpacked(pack(TEXT) + pack(b"more")) == TEXT + b"more"
    assert zstd.unpacked(pack(b"")) == b""


@pytest.mark.parametrize(
    "broken",
    [PACKERS["with its size"](TEXT)[:-2], b"\x28\xb5", b"no zstd at all", BOASTS],
    ids=["cut short", "a beginning", "something else", "boasting"],
)
def test_what_is_broken_is_refused(broken):
    with pytest.raises(zstandard.ZstdError):
        zstd.unpacked(broken)


def test_threads_unpack_side_by_side():
    texts = [os.urandom(20_000) * 3 for _ in range(64)]
    packed = [zstandard.compress(text) for text in texts]
    with ThreadPoolExecutor(8) as threads:
        for _ in range(10):
            assert list(threads.map(zstd.unpacked, packed)) == texts


def test_consumers_unpack_by_it(monkeypatch):
    reader = sys.modules[DefaultRecordBatch.__module__]
    monkeypatch.setattr(reader, "zstd_decode", reader.zstd_decode)
    calls = []
    monkeypatch.setattr(
        zstd, "unpacked", lambda packed, real=zstd.unpacked: calls.append(1) or real(packed)
    )
    zstd.use_kept_memory()
    batch = RecordBatch()
    batch.fill(iter([(b"key", TEXT, ())]), 1)
    [record] = MemoryRecords(bytes(batch._build())).next_batch()
    assert record.value == TEXT
    assert calls == [1]
