"""Records to the brokers, a record batch at a time; the law: a failure is never swallowed.

`publish` returns when every broker has every record on disk (acks=all) and raises
otherwise. Order holds for the records of one partition.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, count
from typing import Any

from aiokafka import AIOKafkaProducer

from streams.lane.outbox import Message
from streams.lane.pipeline import Busy
from streams.lane.placing import java_hashes
from streams.record_batch import BATCH_BYTES, WHOLE_BYTES, RecordBatch, Row

TIMEOUT_MS = 60_000  # rides out a broker's restart; the process ends after it

Place = tuple[str, int]  # full topic name, partition


class Publisher:
    """An idempotent producer of record batches. `partitions` counts them by full topic name.

    A partition has one record batch under way at a time. What comes meanwhile, whoever
    sends it, is the next one: so nobody waits for more than two, and the busier a
    partition is the larger they are.
    """

    def __init__(self, brokers: str, prefix: str, partitions: Mapping[str, int]) -> None:
        self._brokers = brokers
        self._routes = {name.removeprefix(prefix): (name, n) for name, n in partitions.items()}
        self._producer: Any = None
        self._turn = count()
        self._turns: dict[Place, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._newest: dict[Place, tuple[RecordBatch, asyncio.Future[Any]]] = {}

    async def start(self) -> None:
        """Connect. Raises aiokafka's KafkaConnectionError."""
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._brokers,
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=TIMEOUT_MS,
        )
        await self._producer.start()
        self._producer._sender._in_flight = Busy()

    async def stop(self) -> None:
        """Disconnect, having sent what was begun."""
        if self._producer is not None:
            await self._producer.stop()

    async def publish(self, messages: Sequence[Message]) -> None:
        """Send messages, each by its key. Raises KafkaError; KeyError for a topic not named."""
        rows: dict[Place, list[Row]] = defaultdict(list)
        hashes = java_hashes(message.key for message in messages if message.key is not None)
        for message in messages:
            name, width = self._routes[message.topic.name]
            key, partition = message.key, message.partition
            if partition is None:
                partition = (next(self._turn) if key is None else hashes[key]) % width
            rows[name, partition].append((key, message.value, message.headers))
        await self.write(rows)

    async def write(
        self, rows: Mapping[Place, Iterable[Row]], *, whole: bool = False
    ) -> dict[Place, int]:
        """Send rows to given partitions; return for each the offset after the last of its rows.

        A partition is named by full topic name and number. `whole`: a partition has all of
        its rows or none, for they are one record batch. Raises KafkaError.
        """
        now = time.time_ns() // 1_000_000
        ends = await asyncio.gather(
            *(self._append(to, some, now, whole) for to, some in rows.items())
        )
        return dict(zip(rows, ends, strict=True))

    async def _append(self, place: Place, rows: Iterable[Row], now: int, whole: bool) -> int:
        rest = iter(rows)
        row = next(rest, None)
        end = 0
        sent: list[tuple[asyncio.Future[Any], int]] = []
        async with self._turns[place]:
            while row is not None:
                batch, written = self._newest.get(place, (None, None))
                if whole or batch is None or written is None or not batch.open:
                    batch = RecordBatch(WHOLE_BYTES if whole else BATCH_BYTES)
                    row = batch.fill(chain((row,), rest), now)  # its first is always taken
                    written = await self._send(place, batch)
                else:
                    row = batch.fill(chain((row,), rest), now)
                sent.append((written, batch.record_count()))
                self._newest[place] = batch, written
                batch.open = batch.open and not whole
        for written, records in sent:
            # Others may wait for the same one: who is cancelled does not cancel it.
            end = max(end, (await asyncio.shield(written)).offset + records)
        return end

    async def _send(self, place: Place, batch: RecordBatch) -> asyncio.Future[Any]:
        """Hand a batch to the producer, which takes it when the one before is under way."""
        topic, partition = place
        future: asyncio.Future[Any] = await self._producer.send_batch(
            batch, topic, partition=partition
        )
        return future
