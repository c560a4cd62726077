"""Records to the brokers, a record batch at a time; the law: a failure is never swallowed.

`publish` returns when every broker has every record on disk (acks=all) and raises
otherwise. Order holds for the records of one partition.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, count
from typing import Any

from aiokafka import AIOKafkaProducer

from models.placing import java_hash
from streams.lane.outbox import Message
from streams.lane.pipeline import Busy, has_room, take
from streams.record_batch import BATCH_BYTES, WHOLE_BYTES, RecordBatch, Row

TIMEOUT_MS = 60_000  # rides out a broker's restart; the process ends after it

Place = tuple[str, int]  # full topic name, partition
Sent = list[tuple[asyncio.Future[Any], int]]  # of each record batch: its end, rows in it so far


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
        self._queueing: Counter[Place] = Counter()  # who waits for a turn, or has it
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
        for message in messages:
            name, width = self._routes[message.topic.name]
            key, partition = message.key, message.partition
            if partition is None:
                partition = (next(self._turn) if key is None else java_hash(key)) % width
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
        sent: dict[Place, Sent] = {}
        queue: dict[Place, Iterator[Row]] = {}
        for place, some in rows.items():
            batches: Sent = []
            sent[place] = batches
            rest = iter(some)
            row = next(rest, None)
            if not (whole or self._queueing[place]):
                row = self._append(place, row, rest, now, batches)
            if row is not None:
                queue[place] = chain((row,), rest)
        if queue:
            self._queueing.update(queue.keys())
            try:
                await asyncio.gather(
                    *(self._queue(to, some, now, whole, sent[to]) for to, some in queue.items())
                )
            finally:
                self._queueing.subtract(queue.keys())
        await _acknowledged({written for batches in sent.values() for written, _ in batches})
        return {
            place: max((written.result().offset + n for written, n in batches), default=0)
            for place, batches in sent.items()
        }

    def _append(
        self, place: Place, row: Row | None, rest: Iterator[Row], now: int, sent: Sent
    ) -> Row | None:
        """Add rows to the batch that waits for its producer, or to one that need not wait.

        Return the first row that finds no place so, None when all did.
        """
        batch, written = self._newest.get(place, (None, None))
        if row is not None and batch is not None and written is not None and batch.open:
            row = batch.fill(chain((row,), rest), now)
            sent.append((written, batch.record_count()))
        if row is not None and has_room(self._producer, place):
            batch = RecordBatch(BATCH_BYTES)
            row = batch.fill(chain((row,), rest), now)  # its first is always taken
            written = take(self._producer, place, batch)
            sent.append((written, batch.record_count()))
            self._newest[place] = batch, written
        return row

    async def _queue(
        self, place: Place, rest: Iterator[Row], now: int, whole: bool, sent: Sent
    ) -> None:
        """Add rows in their turn: each batch waits until the one before is on its way."""
        row = next(rest, None)
        async with self._turns[place]:
            while row is not None:
                batch, written = self._newest.get(place, (None, None))
                if whole or batch is None or written is None or not batch.open:
                    batch = RecordBatch(WHOLE_BYTES if whole else BATCH_BYTES)
                    row = batch.fill(chain((row,), rest), now)
                    written = await self._send(place, batch)
                else:
                    row = batch.fill(chain((row,), rest), now)
                sent.append((written, batch.record_count()))
                self._newest[place] = batch, written
                batch.open = batch.open and not whole

    async def _send(self, place: Place, batch: RecordBatch) -> asyncio.Future[Any]:
        """Hand a batch to the producer, which takes it when the one before is under way."""
        topic, partition = place
        future: asyncio.Future[Any] = await self._producer.send_batch(
            batch, topic, partition=partition
        )
        return future


async def _acknowledged(written: set[asyncio.Future[Any]]) -> None:
    """Return when all of them are; raise the first error.

    Others may wait for the same ones: who is cancelled does not cancel them.
    """
    if written:
        done, _ = await asyncio.wait(written, return_when=asyncio.FIRST_EXCEPTION)
        for one in done:
            one.result()
