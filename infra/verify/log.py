"""One partition of a topic, read from where it begins, beside every group: nothing is committed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import Struct

from infra.settings import Settings
from models.topics import Topic
from streams.lane.restore import FETCH_BYTES, arrived

PORTION = 5_000  # records at a time


class Found(Struct):
    """A record as projecting reads it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Any
    timestamp: int


class Reading:
    """A partition that is read on and on: each call of `upto` goes on where the last one ended.

    Records are as aiokafka parses them: offset, key, value, headers, timestamp.
    """

    def __init__(self, settings: Settings, topic: Topic, partition: int) -> None:
        self.topic, self.number = topic, partition
        self._spot = TopicPartition(settings.topic(topic), partition)
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.brokers,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=FETCH_BYTES,
            # Computed in Python where it is not compiled in; TCP and the broker guard the bytes.
            check_crcs=False,
        )
        self.begin = 0  # the first offset that the topic still has
        self.position = 0

    async def __aenter__(self) -> Self:
        """Connect. Raises KafkaError."""
        await self._consumer.start()
        self._consumer.assign([self._spot])
        self.begin = (await self._consumer.beginning_offsets([self._spot]))[self._spot]
        self.seek(self.begin)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Disconnect."""
        await self._consumer.stop()

    def seek(self, offset: int) -> None:
        """Go on from `offset`."""
        self._consumer.seek(self._spot, offset)
        self.position = offset

    async def end(self) -> int:
        """Return the offset after the newest record, as it is now."""
        ends: dict[TopicPartition, int] = await self._consumer.end_offsets([self._spot])
        return ends[self._spot]

    async def upto(self, end: int) -> AsyncIterator[Sequence[Any]]:
        """Yield the records before `end`, some at a time, in order. They are all there already."""
        while self.position < end:
            records = (await arrived(self._consumer._fetcher, PORTION)).get(self._spot, ())
            self.position = await self._consumer.position(self._spot)
            if self.position > end:  # some of those are the next call's
                records = [record for record in records if record.offset < end]
                self.seek(end)
            yield records

    async def at(self, offset: int) -> Found | None:
        """Return the record at an offset; None: there is none. Reading goes on after it."""
        self.seek(offset)
        async for records in self.upto(offset + 1):
            for record in records:
                return self.found(record)
        return None

    def found(self, record: Any) -> Found:
        """Return a record with its place."""
        return Found(
            self.topic.name,
            self.number,
            record.offset,
            record.key,
            record.value,
            record.headers,
            record.timestamp,
        )
