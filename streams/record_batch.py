"""Kafka's record batches, written and read whole; the law: not one object a record too many.

The client's own ways build two objects a record and compress harder than pays. The
format is Kafka's own, version 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiokafka.record.default_records import DefaultRecordBatchBuilder

from infra.zstd import pack_in_kept_memory

Headers = Sequence[tuple[str, bytes]]
Row = tuple[bytes | None, bytes | None, Headers]  # key, value, headers

BATCH_BYTES = 512 * 1024  # before compression; a single larger record still goes, alone
WHOLE_BYTES = 60 * 1024 * 1024  # where a batch's changes must be there together or not at all
_ZSTD = 4  # https://kafka.apache.org/documentation/#recordbatch

pack_in_kept_memory()


class RecordBatch:
    """One record batch in the making: what aiokafka's `send_batch` takes for its own builder.

    It takes rows, with a time in ms since 1970, until the producer takes it: while `open`.
    """

    __slots__ = ("_builder", "_bytes", "_count", "open")

    def __init__(self, most: int = BATCH_BYTES) -> None:
        self._builder = DefaultRecordBatchBuilder(2, _ZSTD, 0, -1, -1, 0, most)
        self._count = 0
        self._bytes: bytearray | None = None
        self.open = True

    def fill(self, rows: Iterator[Row], timestamp: int) -> Row | None:
        """Take rows until one has no place; return that one, None when all were taken."""
        append, count = self._builder.append, self._count
        for row in rows:
            key, value, headers = row
            if append(count, timestamp, key, value, list(headers) if headers else []) is None:
                self._count, self.open = count, False
                return row
            count += 1
        self._count = count
        return None

    # From here on: what the producer asks of it.

    def record_count(self) -> int:
        """Return how many records it holds."""
        return self._count

    def size(self) -> int:
        """Return its bytes as they are now."""
        return int(self._builder.size()) if self._bytes is None else len(self._bytes)

    def closed(self) -> bool:
        """Return that nobody else may append to it."""
        return True

    def close(self) -> None:
        """Do nothing: it is closed to others from the beginning."""

    def _set_producer_state(self, producer_id: int, producer_epoch: int, sequence: int) -> None:
        self.open = False  # its records are counted: it is on its way
        self._builder.set_producer_state(producer_id, producer_epoch, sequence)

    def _build(self) -> bytearray:
        if self._bytes is None:  # a request that is repeated sends the same bytes
            self._bytes = self._builder.build()
        return self._bytes
