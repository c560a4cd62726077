"""The `touchpoints` topic as a file sees it: what is there, and more of it.

A send returns only when every broker that must have the messages has them on its
log (acks=all); the producer is idempotent, so a retried request adds nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import NamedTuple, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import RecordMetadata

from infra.files.errors import LogUnavailableError
from models.placing import java_hash

ROW_HEADER = "row"
_IN_FLIGHT = 30_000  # ms, before a request counts as failed


class Message(NamedTuple):
    """One message to send."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


class Log:
    """One topic, open for writing and for looking up what was written."""

    def __init__(self, brokers: str, topic: str) -> None:
        self._brokers = brokers
        self._topic = topic
        self._producer = AIOKafkaProducer(
            bootstrap_servers=brokers,
            acks="all",
            enable_idempotence=True,
            compression_type="zstd",
            max_batch_size=512 * 1024,
            max_request_size=8 * 1024 * 1024,
            request_timeout_ms=_IN_FLIGHT,
        )
        self._partitions = 0

    async def __aenter__(self) -> Self:
        """Connect. Raises LogUnavailableError when there is no Kafka or no such topic."""
        try:
            await self._producer.start()
            known = await asyncio.wait_for(self._producer.partitions_for(self._topic), 10)
        except (KafkaError, TimeoutError) as error:
            await self._producer.stop()
            raise LogUnavailableError(
                f"no topic {self._topic} at {self._brokers} ({type(error).__name__})",
                "Start it with `c360 up`, or name another cluster in C360_KAFKA.",
            ) from error
        self._partitions = len(known)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Disconnect; what was sent has been acknowledged already."""
        await self._producer.stop()

    async def send(self, messages: Iterable[Message]) -> dict[int, int]:
        """Append in order by key; return, when all are acknowledged, where each partition goes on.

        Raises LogUnavailableError: then some may be there and others not.
        """
        by_partition: dict[int, list[Message]] = {}
        for message in messages:
            partition = java_hash(message.key) % self._partitions
            by_partition.setdefault(partition, []).append(message)
        try:
            sent = [
                batch
                for partition, part in by_partition.items()
                for batch in await self._append(partition, part)
            ]
            ends: dict[int, int] = {}
            for count, ack in sent:
                answer = await ack
                ends[answer.partition] = answer.offset + count
        except KafkaError as error:
            raise LogUnavailableError(
                f"Kafka at {self._brokers} did not take the messages ({type(error).__name__})",
                "When it is back, the same command goes on from here.",
            ) from error
        return ends

    async def _append(
        self, partition: int, messages: list[Message]
    ) -> list[tuple[int, asyncio.Future[RecordMetadata]]]:
        """Queue one partition's messages; return how many each batch has, and its answer to be."""
        sent = []
        waiting = iter(messages)
        message = next(waiting, None)
        while message is not None:
            batch = self._producer.create_batch()
            while message is not None and _put(batch, message):
                message = next(waiting, None)
            ack = await self._producer.send_batch(batch, self._topic, partition=partition)
            sent.append((batch.record_count(), ack))
        return sent

    async def ends(self) -> dict[int, int]:
        """Tell the next offset of each partition."""
        async with _reader(self._brokers) as reader:
            ends = await reader.end_offsets(self._all())
        return {tp.partition: offset for tp, offset in ends.items()}

    async def rows_since(self, starts: dict[int, int]) -> set[str] | None:
        """Return the rows sent from these offsets on; None when this is not the same log."""
        async with _reader(self._brokers) as reader:
            ends = await reader.end_offsets(self._all())
            firsts = await reader.beginning_offsets(self._all())
            if any(ends[tp] < starts.get(tp.partition, 0) for tp in ends):
                return None
            unread = {
                tp: max(firsts[tp], starts.get(tp.partition, 0))
                for tp in ends
                if max(firsts[tp], starts.get(tp.partition, 0)) < ends[tp]
            }
            reader.assign(list(unread))
            for tp, offset in unread.items():
                reader.seek(tp, offset)
            return await _rows(reader, {tp: ends[tp] for tp in unread})

    def _all(self) -> list[TopicPartition]:
        return [TopicPartition(self._topic, number) for number in range(self._partitions)]


@asynccontextmanager
async def _reader(brokers: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=brokers, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


def _put(batch: BatchBuilder, message: Message) -> bool:
    """Add a message, unless the batch is full. An empty one takes any message."""
    key, value, headers = message
    return batch.append(timestamp=None, key=key, value=value, headers=headers) is not None


async def _rows(reader: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> set[str]:
    rows: set[str] = set()
    open_ends = dict(ends)
    while open_ends:
        for records in (await reader.getmany(timeout_ms=500)).values():
            for record in records:
                rows.update(
                    value.decode("ascii", "replace")
                    for name, value in record.headers
                    if name == ROW_HEADER
                )
        for tp in [tp for tp in open_ends if await reader.position(tp) >= open_ends[tp]]:
            del open_ends[tp]
    return rows
