"""Step 7, project: events, profiles, scores, decisions, alerts, … -> ClickHouse.

An offset is committed only after ClickHouse has acknowledged its rows: a crash at any
moment means that rows are written again, and a row written twice is there once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any, Final

from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from infra.settings import Settings
from projections.client import connect
from projections.intake import At, Batch, Intake, Plan
from projections.load import Loader, patiently
from projections.table import Record
from projections.tables import ROUTES

_log = logging.getLogger(__name__)
POLL_MS: Final = 200
POLL_RECORDS: Final = 5_000
COMMIT_MS: Final = 10_000
CONSUMER: Final[Mapping[str, Any]] = {
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "isolation_level": "read_committed",
    "allow_auto_create_topics": False,
    "session_timeout_ms": 15_000,
    "fetch_max_wait_ms": 200,
    "fetch_max_bytes": 16 * 1024 * 1024,
    "max_partition_fetch_bytes": 4 * 1024 * 1024,
    "reconnect_backoff_max_ms": 2_000,
    # Computed in Python here, at 0.1 µs a byte; TCP and the broker's own check guard the bytes.
    "check_crcs": False,
}


def group(settings: Settings) -> str:
    """Return the consumer group that projects this deployment's topics."""
    return f"{settings.topic_prefix}project"


class _LostError(RuntimeError):
    """The group was rebalanced: what is in hand belongs to somebody else now."""


class _StoppedError(RuntimeError):
    """Asked to stop while ClickHouse is away."""


class Projector(ConsumerRebalanceListener):  # type: ignore[misc]
    """Follows the topics and keeps the tables up to date, until stopped."""

    def __init__(self, settings: Settings) -> None:
        self._topics = {settings.topic(topic): topic for topic in ROUTES}
        self._loader = Loader(lambda: connect(settings), settings.clickhouse_database)
        self._intake = Intake()
        self._new: set[TopicPartition] = set()
        self._unacknowledged: dict[TopicPartition, OffsetAndMetadata] = {}
        self._stopping = False
        self._generation = 0
        self._settings = settings
        self._consumer = KafkaConsumer(
            bootstrap_servers=settings.brokers.split(","),
            group_id=group(settings),
            # The same member after a crash: its partitions come back at once.
            group_instance_id=f"project-{settings.instance}",
            **CONSUMER,
        )
        self.rows = 0

    def run(self) -> None:
        """Project until `stop`. Raises SchemaMismatchError and Kafka's fatal errors."""
        self._consumer.subscribe(list(self._topics), listener=self)
        _log.info("projecting %s", ", ".join(self._topics))
        while not self._stopping:
            self._read(POLL_MS)
            self._write(self._intake.due(time.monotonic()))
        self._write(self._intake.due(time.monotonic(), all_of_it=True))
        self._commit({})
        _log.info("stopped after %d rows", self.rows)

    def stop(self) -> None:
        """Ask `run` to finish the batch in hand and return. Safe in a signal handler."""
        self._stopping = True

    def close(self) -> None:
        """Leave the group and close the connections."""
        self._consumer.close(autocommit=False, timeout_ms=5_000)
        self._loader.close()

    def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Forget what is in hand (Kafka calls it within a poll)."""
        # kafka-python 3.0.12 forgets a rejoin that new metadata caused when the poll it began in
        # times out: in the group, without partitions, for ever. So the need is written down.
        self._consumer._coordinator.request_rejoin()
        self._generation += 1
        self._intake.revoke()
        self._unacknowledged.clear()

    def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Remember to look for the plans that the last owners left."""
        self._new.update(assigned)

    def _read(self, timeout_ms: int) -> None:
        fetched: dict[TopicPartition, list[Record]] = self._consumer.poll(
            timeout_ms=timeout_ms, max_records=POLL_RECORDS
        )
        if self._new:
            self._intake.assign(self._plans(list(self._new)))
            self._new.clear()
        now = time.monotonic()
        for of, records in fetched.items():
            self._intake.add(self._at(of), records, records[-1].offset + 1, now)

    def _plans(self, new: list[TopicPartition]) -> dict[At, Plan | None]:
        """Return what the partitions' last owners were about to load."""
        brokers = self._settings.brokers.split(",")
        name = group(self._settings)
        with closing(KafkaAdminClient(bootstrap_servers=brokers)) as admin:  # one request for all
            committed = admin.list_group_offsets({name: new}).get(name, {})
        return {
            self._at(of): Plan.read(committed[of].metadata if of in committed else "") for of in new
        }

    def _write(self, batches: Sequence[Batch]) -> None:
        if not batches:
            return
        self._commit(
            {
                self._of(at): OffsetAndMetadata(chunk.first, batch.plans()[at].text(), -1)
                for batch in batches
                for chunk in batch.chunks
                for at in [At(chunk.topic, chunk.partition)]
            }
        )
        try:
            for batch in batches:
                retry = patiently(partial(self._wait, self._generation))
                self.rows += retry(self._loader.load, batch.chunks)
                for chunk in batch.chunks:
                    of = self._of(At(chunk.topic, chunk.partition))
                    self._unacknowledged[of] = OffsetAndMetadata(chunk.last + 1, "", -1)
        except (_LostError, _StoppedError) as why:
            _log.info("%s", why)
        self._commit({})

    def _commit(self, plans: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        """Commit what is loaded, and `plans` for what is about to be.

        Kafka being away is no reason to stop: what could not be committed is, later.
        """
        offsets = self._unacknowledged | dict(plans)
        if not offsets:
            return
        try:
            self._consumer.commit(offsets, timeout_ms=COMMIT_MS)
            self._unacknowledged = {}
        except KafkaError as error:
            _log.warning("offsets are not committed yet: %s", error)

    def _wait(self, generation: int, seconds: float) -> None:
        """Let time pass and stay in the group, reading nothing: memory stays bounded."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._stopping:
                raise _StoppedError("stopping: ClickHouse is away, the batch in hand stays unread")
            self._consumer.pause(*self._consumer.assignment())
            self._read(int(min(left, 0.2) * 1_000))
            if self._generation != generation:
                raise _LostError("the group was rebalanced while ClickHouse was away")
        self._consumer.resume(*self._consumer.paused())

    def _at(self, of: TopicPartition) -> At:
        return At(self._topics[of.topic], of.partition)

    def _of(self, at: At) -> TopicPartition:
        return TopicPartition(self._settings.topic(at.topic), at.partition)
