"""Step 7, project: events, profiles, scores, decisions, alerts, … -> ClickHouse.

An offset is committed only after ClickHouse has acknowledged its rows: a crash at any
moment means that rows are written again, and a row written twice is there once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any, Final

import uvloop
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata
from kafka import TopicPartition as Spot
from kafka.admin import KafkaAdminClient

from infra.settings import Settings
from projections.client import connect
from projections.intake import At, Batch, Intake, Plan
from projections.load import Loader, patiently
from projections.tables import ROUTES

_log = logging.getLogger(__name__)
POLL_MS: Final = 200
POLL_RECORDS: Final = 5_000
COMMIT_SECONDS: Final = 10.0
# aiokafka parses records in C, at a sixth of what kafka-python takes for one.
CONSUMER: Final[Mapping[str, Any]] = {
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "isolation_level": "read_committed",
    "session_timeout_ms": 15_000,
    "fetch_max_wait_ms": 200,
    "fetch_max_bytes": 16 * 1024 * 1024,
    "max_partition_fetch_bytes": 4 * 1024 * 1024,
    # While ClickHouse is away nothing is polled, and that is no reason to leave the group.
    "max_poll_interval_ms": 2**31 - 1,
    "partition_assignment_strategy": (RangePartitionAssignor,),
}


def group(settings: Settings) -> str:
    """Return the consumer group that projects this deployment's topics."""
    return f"{settings.topic_prefix}project"


class _LostError(RuntimeError):
    """The group was rebalanced: what is in hand belongs to somebody else now."""


class _StoppedError(RuntimeError):
    """Asked to stop while ClickHouse is away."""


class Projector(ConsumerRebalanceListener):  # type: ignore[misc]
    """Follows the topics and keeps the tables up to date, until stopped.

    Everything runs in one event loop, but for an insert, which a thread of its own waits for:
    meanwhile the loop stays in the group, and may lose a partition at any `await`.
    """

    def __init__(self, settings: Settings) -> None:
        self._topics = {settings.topic(topic): topic for topic in ROUTES}
        self._loader = Loader(lambda: connect(settings), settings.clickhouse_database)
        self._intake = Intake()
        self._new: set[TopicPartition] = set()
        self._unacknowledged: dict[TopicPartition, OffsetAndMetadata] = {}
        self._stopping = False
        self._generation = 0
        self._settings = settings
        self._consumer: Any = None
        self.rows = 0

    def run(self) -> None:
        """Project until `stop`. Raises SchemaMismatchError and Kafka's fatal errors."""
        uvloop.run(self._run())

    def stop(self) -> None:
        """Ask `run` to finish the batch in hand and return. Safe in a signal handler."""
        self._stopping = True

    async def _run(self) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._settings.brokers,
            group_id=group(self._settings),
            # The same member after a crash: its partitions come back at once.
            group_instance_id=f"project-{self._settings.instance}",
            **CONSUMER,
        )
        try:
            self._consumer.subscribe(list(self._topics), listener=self)
            await self._consumer.start()
            _log.info("projecting %s", ", ".join(self._topics))
            while not self._stopping:
                await self._read()
                await self._write(self._intake.due(time.monotonic()))
            await self._write(self._intake.due(time.monotonic(), all_of_it=True))
            await self._commit({})
            _log.info("stopped after %d rows", self.rows)
        finally:
            await self._consumer.stop()
            self._loader.close()

    def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Forget what is in hand: whoever owns it next reads it again."""
        self._generation += 1
        self._intake.revoke()
        self._new.clear()
        self._unacknowledged.clear()

    def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Remember to look for the plans that the last owners left."""
        self._new.update(assigned)

    async def _read(self) -> None:
        fetched = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS)
        if self._new and not await self._take_over(list(self._new)):
            return  # lost while asking: what was fetched comes again, to whoever has it now
        now = time.monotonic()
        for of, records in fetched.items():
            self._intake.add(self._at(of), records, records[-1].offset + 1, now)

    async def _take_over(self, new: list[TopicPartition]) -> bool:
        generation = self._generation
        plans = await asyncio.to_thread(self._plans, new)
        if self._generation != generation:
            return False
        self._intake.assign(plans)
        self._new.difference_update(new)
        return True

    def _plans(self, new: list[TopicPartition]) -> dict[At, Plan | None]:
        """Return what the partitions' last owners were about to load."""
        brokers = self._settings.brokers.split(",")
        name = group(self._settings)
        spots = {Spot(*of): self._at(of) for of in new}
        with closing(KafkaAdminClient(bootstrap_servers=brokers)) as admin:  # one request for all
            committed = admin.list_group_offsets({name: list(spots)}).get(name, {})
        return {
            at: Plan.read(committed[spot].metadata if spot in committed else "")
            for spot, at in spots.items()
        }

    async def _write(self, batches: Sequence[Batch]) -> None:
        if not batches:
            return
        generation = self._generation
        await self._commit(
            {
                self._of(at): OffsetAndMetadata(chunk.first, batch.plans()[at].text())
                for batch in batches
                for chunk in batch.chunks
                for at in [At(chunk.topic, chunk.partition)]
            }
        )
        try:
            for batch in batches:
                await self._load(batch, generation)
        except (_LostError, _StoppedError) as why:
            _log.info("%s", why)
        await self._commit({})

    async def _load(self, batch: Batch, generation: int) -> None:
        retry = patiently(partial(self._wait, generation))
        self._go_on(generation)
        self.rows += await asyncio.to_thread(retry, self._loader.load, batch.chunks)
        if self._generation != generation:
            raise _LostError("the group was rebalanced while rows were written")
        for chunk in batch.chunks:
            of = self._of(At(chunk.topic, chunk.partition))
            self._unacknowledged[of] = OffsetAndMetadata(chunk.last + 1, "")

    async def _commit(self, plans: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        """Commit what is loaded, and `plans` for what is about to be.

        Kafka being away is no reason to stop: what could not be committed is, later.
        """
        offsets = self._unacknowledged | dict(plans)
        if not offsets:
            return
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await self._consumer.commit(offsets)
        except (KafkaError, TimeoutError) as error:
            _log.warning("offsets are not committed yet: %s", error or "no answer")
        else:
            self._unacknowledged = {}

    def _wait(self, generation: int, seconds: float) -> None:
        """Let time pass, in the thread of an insert. Raises when there is no more to wait for."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._go_on(generation)
            if self._stopping:
                raise _StoppedError("stopping: ClickHouse is away, the batch in hand stays unread")
            time.sleep(min(left, 0.2))

    def _go_on(self, generation: int) -> None:
        if self._generation != generation:
            raise _LostError("the group was rebalanced: the batch in hand is somebody else's")

    def _at(self, of: TopicPartition) -> At:
        return At(self._topics[of.topic], of.partition)

    def _of(self, at: At) -> TopicPartition:
        return TopicPartition(self._settings.topic(at.topic), at.partition)
