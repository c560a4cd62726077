"""What a fetch brought, taken a list at a time.

aiokafka's own loop resumes a generator and makes three calls for each record. Here a record
batch is opened as it does it, checksum and all, and its records are taken in one go. Nobody here
writes transactions, and all read uncommitted: control records alone are passed over.
`tests/contract/test_lane_seams.py` holds what is private of aiokafka.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException


class Unpacked:
    """In place of aiokafka's `PartitionRecords`: what is still to be taken of one partition."""

    __slots__ = ("_batch", "_batches", "_checked", "_place", "_rest", "ended", "next_fetch_offset")

    def __init__(self, own: Any) -> None:
        own._records_iterator = None  # it holds `own` too: what was fetched would wait for the gc
        self.next_fetch_offset: int = own.next_fetch_offset
        self.ended = False
        self._place = own._tp
        self._batches = own._records
        self._checked = own._check_crcs
        self._batch: Any = None  # the one that is open...
        self._rest: Iterator[Any] = iter(())  # ...and its records, which it gives but once

    def take(self, most: int) -> list[Any]:
        """Return the next records as they are parsed, `most` at most.

        Raises what is wrong with the first of them, and is at its end: they are fetched again.
        """
        found: list[Any] = []
        try:
            while len(found) < most and (self._batch is not None or self._next()):
                found += self._of_batch(most - len(found))
        except Exception:  # not lost: raised now, or met again once what came before it is taken
            self.ended = True
            if not found:
                raise
        return found

    def _of_batch(self, most: int) -> list[Any]:
        after = self.next_fetch_offset
        some = list(islice(self._rest, most))
        if len(some) < most:
            # Not its last record's: compaction may have taken those that were behind it.
            self.next_fetch_offset = self._batch.next_offset
            self._batch = None
        else:
            self.next_fetch_offset = max(after, some[-1].offset + 1)
        if some and some[0].offset < after:  # what was asked for is amid the batch
            return [record for record in some if record.offset >= after]
        return some

    def _next(self) -> bool:
        """Open the next record batch; False when there is none."""
        while self._batches.has_next():
            batch = self._batches.next_batch()
            if self._checked and not batch.validate_crc():
                raise CorruptRecordException(f"Invalid CRC - {self._place}")
            if not batch.is_control_batch:
                self._batch, self._rest = batch, chain(batch)
                return True
            self.next_fetch_offset = batch.next_offset
        self.ended = True
        return False


def is_error(result: Any) -> bool:
    """Tell whether it is no fetch's result, but what keeps a partition from being read."""
    return type(result) is not FetchResult


async def taken(fetcher: Any, place: Any, result: Any, most: int) -> list[Any]:
    """Return the next records that a fetcher holds of a partition; its position is after them.

    Raises the KafkaError that keeps it from reading.
    """
    if is_error(result):
        await fetcher.fetched_records([place])
        return []
    if type(result._partition_records) is PartitionRecords:
        result._partition_records = Unpacked(result._partition_records)
    found: list[Any] = []
    if result.check_assignment(place):
        unpacked = result._partition_records
        found = unpacked.take(most)
        result._update_position()
        if unpacked.ended:
            result._partition_records = None
    if not result.has_more():
        del fetcher._records[place]
        fetcher._notify(fetcher._wait_consume_future)
    return found
