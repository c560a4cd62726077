"""State from its changelog, in bulk; the law: the newest owner's write wins.

Each changelog record carries a mark: the owner's epoch, and the source offset
that led to it. Epochs grow with every owner, so the late write of a worker that
has lost its partition (physically last, logically stale) is told from the truth.
Reading goes by position, up to the end as it was at the start: compaction and
transaction markers at the end hold nothing up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from struct import Struct
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

MARK = "mark"
_mark = Struct(">Qq")  # epoch in ms since 1970, source offset (-1: none)
FETCH_BYTES = 4 * 1024 * 1024
PORTION = 10_000  # records at a time, so that the event loop never stands still for long


def mark(epoch: int, offset: int) -> bytes:
    """Return the header that says who wrote a record, and after which source offset."""
    return _mark.pack(epoch, offset)


def epoch_of(headers: Iterable[tuple[str, bytes]]) -> int:
    """Return the epoch that wrote a record; 0 for a record without a mark."""
    for name, value in headers:
        if name == MARK and len(value) == _mark.size:
            return int(_mark.unpack(value)[0])
    return 0


@dataclass(slots=True)
class Restored:
    """One partition's state as its changelog tells it."""

    values: dict[bytes, bytes] = field(default_factory=dict)
    epochs: dict[bytes, int] = field(default_factory=dict)  # of deleted keys too
    overtaken: set[bytes] = field(default_factory=set)  # keys whose last record is a stale one

    @property
    def epoch(self) -> int:
        """Return the newest epoch seen; 0 for none."""
        return max(self.epochs.values(), default=0)

    def apply(self, records: Iterable[Any]) -> None:
        """Take in changelog records, in log order."""
        values, epochs, overtaken = self.values, self.epochs, self.overtaken
        for record in records:
            key, value = record.key, record.value
            epoch = epoch_of(record.headers)
            if epoch < epochs.get(key, 0):
                overtaken.add(key)
                continue
            epochs[key] = epoch
            if overtaken:
                overtaken.discard(key)
            if value is None:
                values.pop(key, None)
            else:
                values[key] = value


async def restore(
    brokers: str, topic: str, partitions: Iterable[int], wanted: Callable[[], bool]
) -> dict[int, Restored] | None:
    """Read whole changelog partitions. None: `wanted` became false on the way.

    Raises KafkaError when the brokers do not answer.
    """
    places = {number: TopicPartition(topic, number) for number in partitions}
    if not places:
        return {}
    reader = AIOKafkaConsumer(
        bootstrap_servers=brokers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCH_BYTES,
    )
    await reader.start()
    try:
        reader.assign(list(places.values()))
        await reader.seek_to_beginning(*places.values())
        ends = await reader.end_offsets(list(places.values()))
        restored = {number: Restored() for number in places}
        left = set(places.values())
        while True:
            for place in list(left):
                if await reader.position(place) >= ends[place]:
                    reader.pause(place)
                    left.discard(place)
            if not left:
                break
            if not wanted():
                return None
            found = await reader.getmany(timeout_ms=200, max_records=PORTION)
            for place, records in found.items():
                restored[place.partition].apply(records)
            await asyncio.sleep(0)  # what is already fetched comes without a pause
        return restored
    finally:
        await reader.stop()
