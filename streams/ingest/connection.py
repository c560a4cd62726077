"""The connection to Kafka, made in the background for however long it takes, and anew when broken.

Who writes takes the producer anew for each write: one that was refused is never used again.
"""

from __future__ import annotations

import asyncio
import logging

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.ingest.writes import BATCH_BYTES

RECONNECT_SECONDS = 1.0
STOP_SECONDS = 10.0
logger = logging.getLogger(__name__)


class Connection:
    """A producer for one topic, or None while there is none. Single event loop; not thread-safe."""

    def __init__(self, brokers: str, topic: str) -> None:
        self.producer: AIOKafkaProducer | None = None
        self.partitions = 0  # of the topic, once there was a producer
        self._brokers = brokers
        self._topic = topic
        self._connecting: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Connect in the background, however long it takes."""
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.create_task(self._connect())

    def cancel(self) -> None:
        """Connect no more; a producer that is there stays."""
        if self._connecting:
            self._connecting.cancel()

    async def close(self) -> None:
        """Disconnect; gives up after 10 s."""
        if self.producer:
            await _close(self.producer)

    async def replace(self, broken: AIOKafkaProducer) -> None:
        """Connect anew: an idempotent producer that was refused has a gap in its numbers."""
        if self.producer is broken:
            self.producer = None
            await _close(broken)
            self.start()

    async def _connect(self) -> None:
        while True:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._brokers,
                client_id="ingest",
                acks="all",
                enable_idempotence=True,
                max_request_size=8 * BATCH_BYTES,
            )
            try:
                await producer.start()
                self.partitions = len(await producer.partitions_for(self._topic))
            except KafkaError as error:
                logger.warning("no %s at %s yet: %s", self._topic, self._brokers, error)
                await _close(producer)
                await asyncio.sleep(RECONNECT_SECONDS)
            else:
                self.producer = producer
                return


async def _close(producer: AIOKafkaProducer) -> None:
    try:
        await asyncio.wait_for(producer.stop(), STOP_SECONDS)
    except (TimeoutError, KafkaError) as error:
        logger.warning("the connection to Kafka did not close: %s", error)
