"""Following a whole topic, on every worker: no consumer group, no offsets kept.

Each record of every partition is handed over in partition order, from the
beginning; streams begin when what was there at the start has been handed over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.lane.batch import Record
from streams.lane.fatal import die


class Follower:
    """Reads `topic` (full name) for ever. `on_record` runs on the event loop, and is quick."""

    def __init__(
        self, brokers: str, topic: str, partitions: int, on_record: Callable[[Record], None]
    ) -> None:
        self.topic = topic
        self._brokers = brokers
        self._places = [TopicPartition(topic, number) for number in range(partitions)]
        self._on_record = on_record
        self._reader: Any = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Catch up with the topic's end as it is now, then follow in the background."""
        self._reader = AIOKafkaConsumer(
            bootstrap_servers=self._brokers, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        await self._reader.start()
        self._reader.assign(self._places)
        await self._reader.seek_to_beginning(*self._places)
        ends = await self._reader.end_offsets(self._places)
        while [p for p in self._places if await self._reader.position(p) < ends[p]]:
            await self._step()
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Stop following."""
        if self._task is not None:
            self._task.cancel()
        if self._reader is not None:
            await self._reader.stop()

    async def _follow(self) -> None:
        try:
            while True:
                await self._step()
        except Exception as error:
            die(f"cannot follow {self.topic}", error)

    async def _step(self) -> None:
        for records in (await self._reader.getmany(timeout_ms=500)).values():
            for raw in records:
                self._on_record(Record(raw.offset, raw.key, raw.value, raw.headers, raw.timestamp))
