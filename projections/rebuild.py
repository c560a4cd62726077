"""All tables anew from the log, beside the running ones, then exchanged with them.

Projecting goes on meanwhile. What it writes to the old tables after we have read past
it is read once more after the exchange: a row written twice is there once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, Final, NamedTuple

from clickhouse_connect.driver.client import Client
from kafka import KafkaConsumer, TopicPartition

from infra.settings import Settings
from models.topics import Topic
from projections.client import connect
from projections.load import Chunk, Loader, patiently
from projections.migrate import MigrationFailedError, migrate, pending
from projections.table import Table
from projections.tables import LEDGERS, ROUTES, TABLES

POLL_RECORDS = 20_000
CONSUMER: Final[Mapping[str, Any]] = {
    "enable_auto_commit": False,
    "isolation_level": "read_committed",
    "allow_auto_create_topics": False,
    "fetch_max_bytes": 16 * 1024 * 1024,
    "max_partition_fetch_bytes": 4 * 1024 * 1024,
    # Computed in Python here, at 0.1 µs a byte; TCP and the broker's own check guard the bytes.
    "check_crcs": False,
}
# Rounds of catching up before the exchange; each is shorter than the one before.
ROUNDS = 3
Tell = Callable[[int, int], None]  # records read, records there


class Rebuilt(NamedTuple):
    """One table's rows before and after."""

    table: str
    before: int
    after: int


def rebuild(settings: Settings, tell: Tell) -> list[Rebuilt]:
    """Build every table from the log and put it in place of the running one.

    Raises MigrationFailedError when the database is not up to date; Kafka's and
    ClickHouse's errors, after which the running tables are as they were.
    """
    if pending(settings):
        raise MigrationFailedError("the database is not up to date: run `c360 migrate` first")
    beside = settings.model_copy(
        update={"clickhouse_database": f"{settings.clickhouse_database}_rebuild"}
    )
    with connect(settings) as client, closing(_consumer(settings)) as consumer:
        _drop(client, beside)
        migrate(beside)
        log = _Log(consumer, settings)
        with _loader(beside) as loader:
            for _ in range(ROUNDS):
                log.read_to_the_end(loader, tell)
        _keep_what_the_log_forgot(client, settings, beside, log.starts)
        before = _count(client, settings)
        _exchange(client, settings, beside)
        with _loader(settings) as loader:
            log.read_to_the_end(loader, tell)
        after = _count(client, settings)
        _drop(client, beside)
    return [Rebuilt(name, before[name], after[name]) for name in before]


class _Log:
    """All topics that tables are made of, read once from where each begins."""

    def __init__(self, consumer: KafkaConsumer, settings: Settings) -> None:
        self._consumer = consumer
        self._topics = {settings.topic(topic): topic for topic in ROUTES}
        self._all = [
            TopicPartition(name, number)
            for name in self._topics
            for number in sorted(consumer.partitions_for_topic(name) or ())
        ]
        consumer.assign(self._all)
        begins: dict[TopicPartition, int] = consumer.beginning_offsets(self._all)
        for at, offset in begins.items():
            consumer.seek(at, offset)
        self.starts: dict[tuple[Topic, int], int] = {
            (self._topics[at.topic], at.partition): offset for at, offset in begins.items()
        }

    def read_to_the_end(self, loader: Loader, tell: Tell) -> None:
        """Load everything up to where the topics end now."""
        ends: dict[TopicPartition, int] = self._consumer.end_offsets(self._all)
        there = sum(
            ends[at] - self.starts[self._topics[at.topic], at.partition] for at in self._all
        )
        while (left := self._left(ends)) > 0:
            tell(there - left, there)
            fetched = self._consumer.poll(timeout_ms=500, max_records=POLL_RECORDS)
            for topic in {self._topics[at.topic] for at in fetched}:
                chunks = [
                    Chunk(topic, at.partition, records[0].offset, records[-1].offset, records)
                    for at, records in sorted(fetched.items())
                    if self._topics[at.topic] == topic
                ]
                patiently(time.sleep)(loader.load, chunks)
        tell(there, there)

    def _left(self, ends: dict[TopicPartition, int]) -> int:
        return sum(max(0, end - self._consumer.position(at)) for at, end in ends.items())


def _keep_what_the_log_forgot(
    client: Client, live: Settings, beside: Settings, starts: dict[tuple[Topic, int], int]
) -> None:
    """Copy ledger rows whose records the topic has dropped since."""
    for (topic, partition), start in starts.items():
        for table in LEDGERS.get(topic, ()) if start > 0 else ():
            client.command(
                f"INSERT INTO {_name(beside, table)} SELECT * FROM {_name(live, table)} FINAL "  # noqa: S608
                "WHERE log_partition = {partition:UInt16} AND log_offset < {start:UInt64}",
                {"partition": partition, "start": start},
            )


def _exchange(client: Client, live: Settings, beside: Settings) -> None:
    for table in TABLES:
        client.command(f"EXCHANGE TABLES {_name(live, table)} AND {_name(beside, table)}")


def _count(client: Client, settings: Settings) -> dict[str, int]:
    return {
        table.name: client.query(f"SELECT count() FROM {_name(settings, table)} FINAL").first_row[0]  # noqa: S608
        for table in TABLES
    }


def _drop(client: Client, settings: Settings) -> None:
    client.command(f"DROP DATABASE IF EXISTS `{settings.clickhouse_database}` SYNC")


def _name(settings: Settings, table: Table) -> str:
    return f"`{settings.clickhouse_database}`.`{table.name}`"


@contextmanager
def _loader(settings: Settings) -> Iterator[Loader]:
    with closing(Loader(lambda: connect(settings), settings.clickhouse_database)) as loader:
        yield loader


def _consumer(settings: Settings) -> KafkaConsumer:
    return KafkaConsumer(bootstrap_servers=settings.brokers.split(","), **CONSUMER)
