"""One `append` on its way: its records, and the places that they get.

A call is done when each of its records has a place, whichever writes carried them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from streams.record_batch import Headers, RecordBatch

BATCH_BYTES = 1024 * 1024


class Place(NamedTuple):
    """Where a record is."""

    partition: int
    offset: int


class Write:
    """One call of `append`: filled in as its records reach the log. `timestamp` in ms, 1970."""

    def __init__(self, count: int, headers: Headers, timestamp: int) -> None:
        self.headers = headers
        self.timestamp = timestamp
        self.places: list[Place] = [_NOWHERE] * count
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.done.add_done_callback(_seen)
        self._left = count

    def put(self, indexes: Sequence[int], partition: int, first: int) -> None:
        """Note where records are, one after the other from `first`; the last completes the call."""
        for offset, index in enumerate(indexes, first):
            self.places[index] = Place(partition, offset)
        self._left -= len(indexes)
        if self._left == 0 and not self.done.done():
            self.done.set_result(None)

    def fail(self, error: Exception) -> None:
        """Tell the caller that a record did not get there."""
        if not self.done.done():
            self.done.set_exception(error)


_NOWHERE = Place(-1, -1)


def _seen(done: asyncio.Future[None]) -> None:
    """Look at the error, which nobody else may: the request may have given up waiting."""
    if not done.cancelled():
        done.exception()


class Share(NamedTuple):
    """What a call has for one partition: keys and values, and which of its records they are."""

    write: Write
    indexes: list[int]
    records: list[tuple[bytes | None, bytes]]

    def cut(self, at: int) -> tuple[Share, Share]:
        """Return the records before `at`, and the rest."""
        return (
            Share(self.write, self.indexes[:at], self.records[:at]),
            Share(self.write, self.indexes[at:], self.records[at:]),
        )


Queue = deque[Share]


def pack(queue: Queue, room: int = BATCH_BYTES) -> tuple[RecordBatch, Queue]:
    """Move what fits into a write of `room` bytes from the queue; its first record always fits."""
    batch = RecordBatch(room)
    taken: Queue = deque()
    while queue and batch.open:
        share = queue.popleft()
        headers, before = share.write.headers, batch.record_count()
        rows = ((key, value, headers) for key, value in share.records)
        if batch.fill(rows, share.write.timestamp) is not None:
            share, rest = share.cut(batch.record_count() - before)
            queue.appendleft(rest)
        taken.append(share)
    return batch, taken
