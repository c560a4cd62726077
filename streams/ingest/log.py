"""The touchpoints topic, written in group commits.

Whatever arrives for a partition while its last write is on the way goes into the
next one, and while any is, the next begin together, a moment after it: so the busier it
is, the larger they are. `append` returns when every in-sync replica has every event, or raises;
it never waits longer than `patience`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import time
from collections import deque
from collections.abc import Sequence
from functools import lru_cache

from aiokafka.errors import KafkaConnectionError, KafkaError

from models.placing import java_hash
from streams.ingest.connection import STOP_SECONDS, Connection
from streams.ingest.problems import busy
from streams.ingest.writes import Place, Queue, Share, Write, pack
from streams.record_batch import Headers

APART_SECONDS = 0.005  # between the beginnings of two writes: each costs a request
EX_SOFTWARE = 70
logger = logging.getLogger(__name__)


_hash = lru_cache(1 << 16)(java_hash)  # interpreted it is 5 µs, and customers come again


def _crash_on_a_bug(task: asyncio.Task[None]) -> None:
    """End the process when writing failed otherwise than by Kafka: a restart sends on."""
    if not task.cancelled() and (error := task.exception()):
        logger.critical("writing to the log failed", exc_info=error)
        os._exit(EX_SOFTWARE)


class Log:
    """A topic, appended to by many requests at once. Single event loop; not thread-safe."""

    def __init__(self, brokers: str, topic: str, patience: float, max_pending: int) -> None:
        self.connection = Connection(brokers, topic)
        self._topic = topic
        self._patience = patience
        self._max_pending = max_pending
        self._queues: dict[int, Queue] = {}
        self._drains: dict[int, asyncio.Task[None]] = {}
        self._sending: dict[int, float] = {}  # partition -> when its write began
        self._pending = 0  # records taken and not yet answered by Kafka
        self._next = 0.0  # before which no write begins, by the loop's clock
        self._turn: asyncio.Future[None] | None = None  # what waits for it

    @property
    def ready(self) -> bool:
        """Whether Kafka is there and answers in time."""
        return self.connection.producer is not None and not self._stalled()

    def start(self) -> None:
        """Connect in the background, however long it takes."""
        self.connection.start()

    async def stop(self) -> None:
        """Write what was taken, then disconnect; gives up after 10 s without Kafka."""
        self.connection.cancel()
        if self._drains:
            await asyncio.wait(self._drains.values(), timeout=STOP_SECONDS)
        for task in self._drains.values():
            task.cancel()
        await self.connection.close()

    async def append(
        self,
        keys: Sequence[bytes | None],
        values: Sequence[bytes],
        headers: Headers,
        timestamp: int,
    ) -> list[Place]:
        """Write records that share headers and time (ms); return their places, in order.

        Raises ProblemError 503 when Kafka is away, slow, or has too much before it. Then
        some of them may yet get there: whoever sends again sends the same event ids.
        """
        if not self.ready:
            raise busy("Kafka does not answer", retry_after=round(self._patience))
        if self._pending + len(values) > self._max_pending:
            raise busy("too many events on their way to Kafka", retry_after=1)
        write = Write(len(values), headers, timestamp)
        for partition, share in self._shared_out(write, keys, values).items():
            self._enqueue(partition, share)
        try:
            await asyncio.wait_for(asyncio.shield(write.done), self._patience)
        except TimeoutError as error:
            raise busy("Kafka takes too long", retry_after=round(self._patience)) from error
        except KafkaError as error:
            raise busy(f"Kafka refused: {error}", retry_after=1) from error
        return write.places

    def _stalled(self) -> bool:
        latest = time.monotonic() - self._patience
        return any(began < latest for began in self._sending.values())

    def _shared_out(
        self, write: Write, keys: Sequence[bytes | None], values: Sequence[bytes]
    ) -> dict[int, Share]:
        count = self.connection.partitions
        shares: dict[int, Share] = {}
        for index, (key, value) in enumerate(zip(keys, values, strict=True)):
            # Where Java's default partitioner puts it; without a key, anywhere.
            at = (random.getrandbits(31) if key is None else _hash(key)) % count
            share = shares.get(at)
            if share is None:
                share = shares[at] = Share(write, [], [])
            share.indexes.append(index)
            share.records.append((key, value))
        return shares

    def _enqueue(self, partition: int, share: Share) -> None:
        self._queues.setdefault(partition, deque()).append(share)
        self._pending += len(share.records)
        if partition not in self._drains:
            task = self._drains[partition] = asyncio.create_task(self._drain(partition))
            task.add_done_callback(_crash_on_a_bug)

    async def _drain(self, partition: int) -> None:
        """Write a partition's queue until it is empty."""
        queue = self._queues[partition]
        try:
            while queue:
                await self._begin()
                await self._write(partition, queue)
        finally:
            del self._drains[partition]

    async def _begin(self) -> None:
        """Wait until writes may begin: at once when none is on the way, or all began long ago."""
        if self._turn is None:
            loop = asyncio.get_running_loop()
            self._turn = loop.create_future()
            now = loop.time()
            loop.call_at(max(self._next, now) if self._sending else now, self._all_begin)
        await asyncio.shield(self._turn)

    def _all_begin(self) -> None:
        assert self._turn is not None
        self._next = asyncio.get_running_loop().time() + APART_SECONDS
        self._turn.set_result(None)
        self._turn = None

    async def _write(self, partition: int, queue: Queue) -> None:
        producer = self.connection.producer
        if producer is None:
            self._fail(queue, KafkaConnectionError("connecting"))
            return
        batch, taken = pack(queue)
        self._sending[partition] = time.monotonic()
        try:
            sent = await producer.send_batch(batch, self._topic, partition=partition)
            first = (await sent).offset
        except KafkaError as error:
            logger.warning("partition %d was not written: %s", partition, error)
            self._fail(taken, error)
            await self.connection.replace(producer)
        else:
            for share in taken:
                self._pending -= len(share.records)
                share.write.put(share.indexes, partition, first)
                first += len(share.records)
        finally:
            del self._sending[partition]

    def _fail(self, taken: Queue, error: Exception) -> None:
        while taken:
            share = taken.popleft()
            self._pending -= len(share.records)
            share.write.fail(error)
