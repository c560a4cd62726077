"""One `append` on its way: its records, and the places that they get.

A call is done when each of its records has a place, whichever writes carried them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder


class Record(NamedTuple):
    """One record to write. `timestamp` in ms since 1970."""

    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]
    timestamp: int


class Place(NamedTuple):
    """Where a record is."""

    partition: int
    offset: int


class Write:
    """One call of `append`: filled in as its records reach the log."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records
        self.places: dict[int, Place] = {}
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.done.add_done_callback(_seen)

    def put(self, index: int, place: Place) -> None:
        """Note where a record is; the last one completes the call."""
        self.places[index] = place
        if len(self.places) == len(self.records) and not self.done.done():
            self.done.set_result(None)

    def fail(self, error: Exception) -> None:
        """Tell the caller that a record did not get there."""
        if not self.done.done():
            self.done.set_exception(error)


def _seen(done: asyncio.Future[None]) -> None:
    """Look at the error, which nobody else may: the request may have given up waiting."""
    if not done.cancelled():
        done.exception()


Queue = deque[tuple[Write, int]]  # a record each: its call, and its index there


def pack(producer: AIOKafkaProducer, queue: Queue) -> tuple[BatchBuilder, Queue]:
    """Move what fits into one write from the queue; the first record always fits."""
    batch = producer.create_batch()
    taken: Queue = deque()
    while queue:
        write, index = queue[0]
        record = write.records[index]
        fits = batch.append(
            key=record.key, value=record.value, timestamp=record.timestamp, headers=record.headers
        )
        if fits is None:
            break
        taken.append(queue.popleft())
    batch.close()
    return batch, taken
