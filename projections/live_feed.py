"""Follows a topic from its beginning, all partitions, in no group.

Positions, not records, tell that the end is reached: compaction and transaction
markers may leave no record there. A broker that is away is waited for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

_log = logging.getLogger(__name__)
# Records applied before requests have their turn: some 4 ms of a history, 1 ms of what is new.
_CHUNK, _NEW = 200, 50
_PAUSE = 2.0  # seconds between attempts to reach the brokers
# Seconds from what is new to the next fetch: each costs the broker and us a request, whatever it
# brings, and requests for each small batch were most of what following cost.
SOON, LATER = 0.01, 0.5


class Feed:
    """One topic, followed. Records go to `apply` in chunks, in order a partition.

    `newest`: begin so many offsets before each partition's end, not at its beginning.
    `apart`: seconds that what is new may wait for more of it; after a pause it does not.
    """

    def __init__(
        self,
        brokers: str,
        topic: str,
        apply: Callable[[Sequence[Any]], None],
        newest: int | None = None,
        apart: float = LATER,
    ) -> None:
        self.caught_up = asyncio.Event()
        self.polled_ms = 0  # when the brokers last answered
        self.read = 0  # records
        self._brokers = brokers
        self._topic = topic
        self._apply = apply
        self._newest = newest
        self._apart = apart
        self._skipped: dict[TopicPartition, int] = {}
        self._positions: dict[TopicPartition, int] = {}
        self._ends: dict[TopicPartition, int] = {}

    @property
    def lag(self) -> int:
        """Records that are in the topic and not yet applied, as last seen."""
        return sum(max(end - self._positions.get(tp, 0), 0) for tp, end in self._ends.items())

    @property
    def skipped(self) -> int:
        """Offsets that lie before where reading began: only with `newest`."""
        return sum(self._skipped.values())

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            consumer = AIOKafkaConsumer(
                self._topic,  # without a group: all its partitions
                bootstrap_servers=self._brokers,
                client_id="c360-live",
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                isolation_level="read_committed",
                max_partition_fetch_bytes=4 * 1024 * 1024,
            )
            try:
                await consumer.start()
                await self._follow(consumer)
            except (KafkaError, OSError) as error:
                _log.warning("%s: %s; again in %.0f s", self._topic, error, _PAUSE)
            finally:
                await consumer.stop()
            await asyncio.sleep(_PAUSE)

    async def _follow(self, consumer: Any) -> None:
        partitions = self._partitions(consumer)
        beginnings = await consumer.beginning_offsets(partitions)
        self._ends = await consumer.end_offsets(partitions)
        for partition in partitions:
            start = self._start(partition, beginnings[partition])
            consumer.seek(partition, self._positions.get(partition, start))
        while True:
            most = _NEW if self.caught_up.is_set() else _CHUNK
            chunks = await consumer.getmany(timeout_ms=250, max_records=most)
            records = [record for chunk in chunks.values() for record in chunk]
            rests = self.caught_up.is_set() and 0 < len(records) < most
            if rests:  # before the next fetch: what it brought would only lie here meanwhile
                consumer.pause(*partitions)
            if records:
                self._apply(records)
                self.read += len(records)
            for partition in chunks or partitions:
                await self._note(consumer, partition)
            if not self.caught_up.is_set() and self.lag == 0:
                self.caught_up.set()
            # A long catch-up must not starve the requests.
            await asyncio.sleep(self._apart if rests else 0)
            if rests:
                consumer.resume(*partitions)

    def _start(self, partition: TopicPartition, beginning: int) -> int:
        if self._newest is None:
            return beginning
        start = max(beginning, self._ends[partition] - self._newest)
        self._skipped[partition] = start - beginning
        return int(start)

    async def _note(self, consumer: Any, partition: TopicPartition) -> None:
        self._positions[partition] = await consumer.position(partition)
        end = consumer.last_stable_offset(partition)
        self._ends[partition] = max(self._ends[partition], end or 0)
        self.polled_ms = max(self.polled_ms, consumer.last_poll_timestamp(partition) or 0)

    def _partitions(self, consumer: Any) -> list[TopicPartition]:
        numbers = consumer.partitions_for_topic(self._topic)
        if not numbers:
            raise UnknownTopicOrPartitionError(f"no such topic yet: {self._topic}")
        return [TopicPartition(self._topic, number) for number in sorted(numbers)]
