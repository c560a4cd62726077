"""Records to the brokers, a record batch at a time; the law: a failure is never swallowed.

`publish` returns when every broker has every record on disk (acks=all) and raises
otherwise. Order holds for the records of one partition.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2

from streams.lane.batch import Headers
from streams.lane.outbox import Message

Row = tuple[bytes | None, bytes | None, Headers]  # key, value, headers

BATCH_BYTES = 512 * 1024  # before compression; a single larger record still goes, alone
TIMEOUT_MS = 60_000  # rides out a broker's restart; the process ends after it


@lru_cache(maxsize=1 << 18)
def java_hash(key: bytes) -> int:
    """Return the hash by which Java's default partitioner places a key (not negative)."""
    return int(murmur2(key)) & 0x7FFFFFFF


class Publisher:
    """An idempotent producer of record batches. `partitions` counts them by full topic name."""

    def __init__(self, brokers: str, prefix: str, partitions: Mapping[str, int]) -> None:
        self._brokers = brokers
        self._prefix = prefix
        self._partitions = partitions
        self._producer: Any = None
        self._turn = count()

    async def start(self) -> None:
        """Connect. Raises aiokafka's KafkaConnectionError."""
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._brokers,
            acks="all",
            enable_idempotence=True,
            max_batch_size=BATCH_BYTES,
            compression_type="zstd",
            request_timeout_ms=TIMEOUT_MS,
        )
        await self._producer.start()

    async def stop(self) -> None:
        """Disconnect, having sent what was begun."""
        if self._producer is not None:
            await self._producer.stop()

    async def publish(self, messages: Sequence[Message]) -> None:
        """Send messages, each by its key. Raises KafkaError; KeyError for a topic not named."""
        rows: dict[tuple[str, int], list[Row]] = defaultdict(list)
        for message in messages:
            topic = self._prefix + message.topic.name
            rows[topic, self._place(topic, message)].append(message[1:4])
        await self.write(rows)

    async def write(self, rows: Mapping[tuple[str, int], Iterable[Row]]) -> None:
        """Send rows to given partitions (full topic name, number). Raises KafkaError."""
        futures = []
        for (topic, partition), some in rows.items():
            for batch in self._batches(some):
                futures.append(await self._producer.send_batch(batch, topic, partition=partition))
        await asyncio.gather(*futures)

    def _place(self, topic: str, message: Message) -> int:
        if message.partition is not None:
            return message.partition
        number = next(self._turn) if message.key is None else java_hash(message.key)
        return number % self._partitions[topic]

    def _batches(self, rows: Iterable[Row]) -> Iterator[Any]:
        now = time.time_ns() // 1_000_000
        batch = self._producer.create_batch()
        for key, value, headers in rows:
            if batch.append(timestamp=now, key=key, value=value, headers=list(headers)) is None:
                yield batch
                batch = self._producer.create_batch()
                batch.append(timestamp=now, key=key, value=value, headers=list(headers))
        batch.close()
        if batch.record_count():
            yield batch
