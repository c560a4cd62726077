"""A real Kafka and a real ClickHouse for the tests, and the processes that use them.

Both servers start once a session, on free ports, in a directory of their own. Each
test gets settings of its own: a fresh topic prefix, a fresh database, free ports.
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from infra.admin import create_topics
from infra.local import ports, process
from infra.local.clickhouse import ClickHouseServer
from infra.local.kafka import KafkaBroker
from infra.settings import Settings

SECRETS = {
    "clickhouse_user": "c360",
    "clickhouse_password": "test-clickhouse",
    "analyst_password": "test-analyst",
    "write_keys": "test=test-write-key",
    "api_keys": "test=test-api-key",
    "admin_keys": "test=test-admin-key",
    "webhook_secret": "whsec_dGVzdC13ZWJob29rLXNlY3JldC0wMTIzNDU2Nzg5",
    "snapshot_secret": "test-snapshot-secret",
}
# Laws are not about speed: a busy machine must not fail one.
hypothesis_settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("untimed")


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """The session's broker. A test that stops or pauses one starts its own."""
    broker = KafkaBroker(tmp_path_factory.mktemp("kafka"), ports.free_port())
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def broker(kafka_broker: KafkaBroker) -> str:
    """Where the session's Kafka is, host:port."""
    return kafka_broker.bootstrap


@pytest.fixture(scope="session")
def clickhouse_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    """The session's ClickHouse. A test that stops one starts its own."""
    server = clickhouse_in(tmp_path_factory.mktemp("clickhouse"))
    server.start()
    yield server
    server.stop()


def clickhouse_in(home: Path, readable: tuple[str, ...] = ()) -> ClickHouseServer:
    """Return a ClickHouse for the tests, not started (it takes less than a second).

    `readable`: what its analyst may read, as GRANT takes it ("c360.revenue_by_day").
    The session's server, whose databases have made-up names, lets the analyst read nothing.
    """
    return ClickHouseServer(
        home,
        ports.free_port(),
        ports.free_port(),
        user=SECRETS["clickhouse_user"],
        password=SECRETS["clickhouse_password"],
        analyst_password=SECRETS["analyst_password"],
        readable=readable,
    )


@pytest.fixture
def new_clickhouse(tmp_path: Path) -> Iterator[Callable[..., ClickHouseServer]]:
    """Return a function that starts a ClickHouse of the test's own; see `clickhouse_in`."""
    started: list[ClickHouseServer] = []

    def new(readable: tuple[str, ...] = ()) -> ClickHouseServer:
        started.append(clickhouse_in(tmp_path / f"clickhouse-{len(started)}", readable))
        started[-1].start()
        return started[-1]

    yield new
    for server in started:
        server.stop()


@pytest.fixture
def new_broker(tmp_path: Path) -> Iterator[Callable[[], KafkaBroker]]:
    """Return a function that starts a Kafka of the test's own (about six seconds)."""
    started: list[KafkaBroker] = []

    def new() -> KafkaBroker:
        started.append(KafkaBroker(tmp_path / f"kafka-{len(started)}", ports.free_port()))
        started[-1].start()
        return started[-1]

    yield new
    for own in started:
        own.stop()


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., Settings]:
    """Return a factory of settings that no other test shares; arguments override.

    It needs no server: add the `stack_settings` fixture's, or pass `kafka=broker`.
    """

    def make(**over: object) -> Settings:
        own = uuid.uuid4().hex[:10]
        given: dict[str, object] = SECRETS | {
            "home": tmp_path / "home",
            "topic_prefix": f"t{own}.",
            "clickhouse_database": f"t_{own}",
            "kafka_port": ports.free_port(),
            "clickhouse_port": ports.free_port(),
            "clickhouse_native_port": ports.free_port(),
            "ingest_port": ports.free_port(),
            "serve_port": ports.free_port(),
            "worker_port": ports.free_port(),
            "partitions": 4,
        }
        return Settings.model_validate(given | over)

    return make


@pytest.fixture
def kafka_settings(make_settings: Callable[..., Settings], broker: str) -> Settings:
    """Settings on the session's Kafka, its topics created."""
    settings = make_settings(kafka=broker)
    create_topics(settings)
    return settings


@pytest.fixture(params=["memory", "disk"])
def state_settings(kafka_settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """Those settings twice: with state in memory, and with state on disk."""
    return kafka_settings.model_copy(update={"state": request.param})


@pytest.fixture
def clickhouse(
    make_settings: Callable[..., Settings], clickhouse_server: ClickHouseServer
) -> Settings:
    """Settings on the session's ClickHouse; the database itself is not created."""
    return make_settings(**clickhouse_address(clickhouse_server))


@pytest.fixture
def stack_settings(
    make_settings: Callable[..., Settings], broker: str, clickhouse_server: ClickHouseServer
) -> Settings:
    """Settings on the session's Kafka, its topics created, and ClickHouse."""
    settings = make_settings(kafka=broker, **clickhouse_address(clickhouse_server))
    create_topics(settings)
    return settings


def clickhouse_address(server: ClickHouseServer) -> dict[str, object]:
    """Return the settings that lead to `server`."""
    return {
        "clickhouse": server.url,
        "clickhouse_port": server.http_port,
        "clickhouse_native_port": server.native_port,
    }


class Part:
    """A real process of the system: `pid`, `log`, `stop()`, `kill()`, `wait()`."""

    def __init__(self, running: subprocess.Popen[bytes], log: Path) -> None:
        self.process = running
        self.log = log

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self, grace: float = 30.0) -> int:
        """SIGTERM, then SIGKILL after `grace` seconds; return the exit code."""
        return process.stop(self.process, grace)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.process.kill()
        self.process.wait()

    def tail(self, lines: int = 40) -> str:
        """Return the newest lines of its log."""
        return process.tail(self.log, lines)


@pytest.fixture
def start_part(tmp_path: Path) -> Iterator[Callable[..., Part]]:
    """Return a function that starts a module as a process, stopped after the test.

    `start_part(settings, "streams", "worker", instance="w1")` runs `python -m streams
    worker` with these settings in its environment, the named ones overridden.
    """
    started: list[Part] = []

    def start(settings: Settings, module: str, *arguments: str, **over: object) -> Part:
        chosen = settings.model_copy(update=over)
        log = tmp_path / "logs" / f"{module}-{len(started)}.log"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("C360_")}
        running = process.spawn(
            [sys.executable, "-m", module, *arguments], log, clean | chosen.environ()
        )
        started.append(Part(running, log))
        return started[-1]

    yield start
    for part in reversed(started):
        part.process.kill()
        part.process.wait()
