"""Records as Kafka's consumer hands them to projecting: with what is read of one, and no more.

aiokafka's own has as many fields again and is frozen by a dataclass, which takes five times as
long to make. Checksums, aborted transactions, control records and positions stay aiokafka's.
"""

from __future__ import annotations

from typing import Any

from aiokafka.consumer.fetcher import PartitionRecords
from msgspec import Struct


class Read(Struct, frozen=True, gc=False):
    """One record of a topic. `timestamp` is in ms since 1970, UTC."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    timestamp: int


def read_lightly() -> None:
    """Let every consumer of this process hand out such records."""
    PartitionRecords._consumer_record = _record


def _record(_: Any, place: Any, raw: Any) -> Read:
    return Read(
        place.topic,
        place.partition,
        raw.offset,
        raw.key,
        raw.value,
        tuple(raw.headers),
        raw.timestamp,
    )
