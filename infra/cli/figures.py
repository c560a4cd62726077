"""The system's figures, from whoever knows them: the API, the brokers, ClickHouse.

Each answers or does not; what is unreachable is None, so that one missing part does
not hide the others.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import clickhouse_connect
import httpx
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from clickhouse_connect.driver.exceptions import ClickHouseError

from infra.secrets import first_key
from infra.settings import Settings
from projections.live_lag import READS, behind

SECONDS = 3.0
# They warn of every failed connection; here that is an answer, and shown as one.
for _name in ("aiokafka", "kafka", "clickhouse_connect"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)
Json = dict[str, Any]


class Api:
    """The profile API of this deployment, with its first key."""

    def __init__(self, settings: Settings) -> None:
        self.client = httpx.Client(
            base_url=f"http://{settings.host}:{settings.serve_port}",
            headers={"Authorization": f"Bearer {first_key(settings.api_keys)}"},
            timeout=SECONDS,
        )

    def stats(self) -> Json | None:
        """Return the board's figures."""
        try:
            answer = self.client.get("/v1/stats")
        except httpx.HTTPError:
            return None
        return dict(answer.json()) if answer.is_success else None

    def customers(self, ids: list[str]) -> list[Json]:
        """Return these customers whole, as far as they are there."""
        try:
            answer = self.client.post("/v1/profiles:batchGet", json={"keys": ids})
        except httpx.HTTPError:
            return []
        return list(answer.json()["profiles"].values()) if answer.is_success else []


def lag(settings: Settings) -> dict[str, int | None] | None:
    """Return each step's backlog in records, in dataflow order; None without a broker.

    A step that never committed has None.
    """
    try:
        return asyncio.run(_lag(settings))
    except (KafkaError, OSError):
        return None


async def _lag(settings: Settings) -> dict[str, int | None]:
    timeout = int(SECONDS * 1000)
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.brokers, request_timeout_ms=timeout)
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.brokers, request_timeout_ms=timeout)
    try:
        await admin.start()
        await consumer.start()
        worker = await behind(admin, consumer, settings.topic_prefix + "worker")
        project = await behind(admin, consumer, settings.topic_prefix + "project")
    finally:
        await consumer.stop()
        await admin.close()
    steps = {step: worker.get(settings.topic(topic)) for step, topic in READS.items()}
    return steps | {"project": sum(project.values()) if project else None}


def backlog(settings: Settings) -> int:
    """Return how many records are still on their way through the steps."""
    return sum(value or 0 for value in (lag(settings) or {}).values())


def clickhouse_totals(settings: Settings) -> dict[str, int | None]:
    """Return how many events and customers an analyst counts."""
    return {
        "clickhouse_events": count(settings, "SELECT count() FROM events"),
        "clickhouse_customers": count(settings, "SELECT count() FROM customers"),
    }


def tables(settings: Settings) -> dict[str, int] | None:
    """Return the rows of each table of the database; None when ClickHouse does not answer.

    Rows that a merge will remove are still counted in tables that keep the newest version.
    """
    rows = _ask(
        settings,
        "SELECT name, total_rows FROM system.tables WHERE database = {database:String}"
        " AND total_rows IS NOT NULL AND name != 'schema_versions' ORDER BY name",
    )
    return None if rows is None else {str(name): int(total) for name, total in rows}


def count(settings: Settings, query: str) -> int | None:
    """Return the one number that a query answers with; None when it cannot be asked."""
    rows = _ask(settings, query)
    return int(rows[0][0]) if rows else None


def _ask(settings: Settings, query: str) -> list[tuple[Any, ...]] | None:
    try:
        client = clickhouse_connect.get_client(
            dsn=settings.clickhouse_url,
            username=settings.clickhouse_user,
            password=settings.clickhouse_password.get_secret_value(),
            connect_timeout=SECONDS,
        )
    except (ClickHouseError, OSError):
        return None
    try:
        client.database = settings.clickhouse_database
        parameters = {"database": settings.clickhouse_database}
        return list(client.query(query, parameters=parameters).result_rows)
    except ClickHouseError:
        return None
    finally:
        client.close()
