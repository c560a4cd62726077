"""How far each step is behind: the end of its topics less what its group committed.

Read from the brokers, not from the workers: a worker that hangs still shows.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from infra.settings import Settings
from models import topics
from models.topics import Topic

_log = logging.getLogger(__name__)
EVERY = 2.0  # seconds
# What each step of the workers' group reads; `project` has a group of its own.
READS = {
    "validate": topics.TOUCHPOINTS,
    "resolve": topics.IDENTITY_LINKS,
    "fold": topics.EVENTS,
    "learn": topics.EXAMPLES,
    "deliver": topics.ALERTS,
}


class StepLag(NamedTuple):
    """One step's backlog in records; None when its group never committed."""

    step: str
    lag: int | None


class Lag:
    """The newest reading of every step's backlog, in dataflow order."""

    def __init__(self, settings: Settings) -> None:
        self.steps = [StepLag(step, None) for step in (*READS, "project")]
        self._brokers = settings.brokers
        self._streams = settings.topic_prefix + "worker"
        self._project = settings.topic_prefix + "project"
        self._topic = settings.topic

    async def run(self) -> None:
        """Read again and again, until cancelled."""
        while True:
            admin = AIOKafkaAdminClient(bootstrap_servers=self._brokers, client_id="c360-lag")
            consumer = AIOKafkaConsumer(bootstrap_servers=self._brokers, client_id="c360-lag")
            try:
                await admin.start()
                await consumer.start()
                while True:
                    self.steps = await self._read(admin, consumer)
                    await asyncio.sleep(EVERY)
            except (KafkaError, OSError) as error:
                self.steps = [StepLag(step, None) for step, _ in self.steps]
                _log.warning("lag: %s; again in %.0f s", error, EVERY)
            finally:
                await consumer.stop()
                await admin.close()
            await asyncio.sleep(EVERY)

    async def _read(self, admin: Any, consumer: Any) -> list[StepLag]:
        streams = await behind(admin, consumer, self._streams)
        project = await behind(admin, consumer, self._project)
        return [
            *(StepLag(step, self._of(streams, topic)) for step, topic in READS.items()),
            StepLag("project", sum(project.values()) if project else None),
        ]

    def _of(self, lags: dict[str, int], topic: Topic) -> int | None:
        return lags.get(self._topic(topic))


async def behind(admin: Any, consumer: Any, group: str) -> dict[str, int]:
    """Return a group's backlog by topic, of the topics that it ever committed."""
    committed = {
        partition: position.offset
        for partition, position in (await admin.list_consumer_group_offsets(group)).items()
        if position.offset >= 0
    }
    if not committed:
        return {}
    ends = await consumer.end_offsets(list(committed))
    lags: dict[str, int] = defaultdict(int)
    for partition, offset in committed.items():
        lags[partition.topic] += max(ends[partition] - offset, 0)
    return dict(lags)
