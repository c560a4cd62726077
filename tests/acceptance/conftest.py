"""One running system for all acceptance tests: every part, a receiver of webhooks, clients."""

import base64
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import clickhouse_connect
import httpx
import pytest
from clickhouse_connect.driver.client import Client

from infra.admin import create_topics
from infra.local import ports, process
from infra.local.clickhouse import ClickHouseServer
from infra.settings import Settings
from projections.migrate import migrate
from projections.views import ANALYST_VIEWS
from tests.support.waiting import until

WRITE_KEY = "acceptance-write-key"
API_KEY = "acceptance-api-key"
ADMIN_KEY = "acceptance-admin-key"
ANALYST_PASSWORD = "acceptance-analyst"
PARTS = ("streams", "streams.ingest", "projections", "projections.serve")


@dataclass
class Receiver:
    """A destination that is down for its first two requests of each webhook, then works."""

    url: str = ""
    requests: list[tuple[dict[str, str], bytes, int]] = field(default_factory=list)

    def delivered(self) -> list[tuple[dict[str, str], bytes]]:
        return [(headers, body) for headers, body, status in self.requests if status == 204]


@dataclass
class System:
    """The system as its users meet it."""

    settings: Settings
    ingest: httpx.Client
    api: httpx.Client
    tables: Client
    receiver: Receiver

    def accept(self, *events: dict) -> list[str]:
        """Send native events; return their receipts."""
        answer = self.ingest.post("/v1/events", json=list(events))
        assert answer.status_code == 200, answer.text
        verdicts = answer.json()["verdicts"]
        assert all(one["status"] == "accepted" for one in verdicts), verdicts
        return [one["receipt"] for one in verdicts]

    def profile(self, key: str, receipt: str = "") -> dict:
        """Read a customer, after the event of `receipt` was applied."""
        answer = after(self.api, f"/v1/profiles/{key}", receipt)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def becomes(self, key: str, condition: Callable[[dict], object], seconds: float = 60) -> dict:
        """Wait until a customer is known and meets `condition`; return it."""

        def look() -> dict | None:
            answer = self.api.get(f"/v1/profiles/{key}")
            return answer.json() if answer.status_code == 200 and condition(answer.json()) else None

        return until(look, seconds, f"{key} as expected")

    def c360(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the command line on this system."""
        return subprocess.run(
            [sys.executable, "-m", "infra.cli", *arguments],
            env=clean_environment() | self.settings.environ(),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def rows(self, sql: str, **parameters: object) -> list[tuple]:
        return list(self.tables.query(sql, parameters).result_rows)


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    received = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            earlier = sum(h["webhook-id"] == headers["webhook-id"] for h, *_ in received.requests)
            status = 204 if earlier >= 2 else 503
            received.requests.append((headers, body, status))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.url = f"http://127.0.0.1:{server.server_port}/alerts"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield received
    server.shutdown()


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory) -> Iterator[ClickHouseServer]:
    """A ClickHouse whose analyst may read what the product's analysts may."""
    server = ClickHouseServer(
        tmp_path_factory.mktemp("warehouse"),
        ports.free_port(),
        ports.free_port(),
        user="c360",
        password="acceptance-clickhouse",
        analyst_password=ANALYST_PASSWORD,
        readable=tuple(f"acceptance.{view}" for view in ANALYST_VIEWS),
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def system(broker, warehouse, receiver, tmp_path_factory) -> Iterator[System]:
    settings = settings_of(
        "acceptance",
        tmp_path_factory.mktemp("system"),
        broker,
        warehouse,
        partitions=4,
        webhook_url=receiver.url,
        webhook_secret="whsec_" + base64.b64encode(b"acceptance-webhook-secret").decode(),
        webhook_allow_private=True,
        webhook_max_age_hours=100_000,
        backfill_grace_seconds=2,
    )
    with running(settings) as clients:
        yield System(settings, *clients, receiver)


def settings_of(
    name: str, home: Path, broker: str, warehouse: ClickHouseServer, **over: object
) -> Settings:
    """Return the settings of a system of its own; `name` is of its topics and its database."""
    return Settings(
        home=home,
        topic_prefix=f"{name}.",
        kafka=broker,
        clickhouse=warehouse.url,
        clickhouse_port=warehouse.http_port,
        clickhouse_native_port=warehouse.native_port,
        clickhouse_database=name,
        clickhouse_user="c360",
        clickhouse_password="acceptance-clickhouse",
        analyst_password=ANALYST_PASSWORD,
        ingest_port=ports.free_port(),
        serve_port=ports.free_port(),
        worker_port=ports.free_port(),
        write_keys=f"shop={WRITE_KEY}",
        api_keys=f"desk={API_KEY}",
        admin_keys=f"ops={ADMIN_KEY}",
        snapshot_secret=f"{name}-snapshots",
        **over,
    )


@contextmanager
def running(
    settings: Settings, patience: float = 150
) -> Iterator[tuple[httpx.Client, httpx.Client, Client]]:
    """Run all parts; yield clients of ingest, of the API and of ClickHouse.

    `patience`: seconds until they answer.
    """
    create_topics(settings)
    migrate(settings)
    environ = clean_environment() | settings.environ()
    parts = [
        process.spawn([sys.executable, "-m", part], settings.home / f"{part}.log", environ)
        for part in PARTS
    ]
    at, bearer = "http://127.0.0.1", {"authorization": f"Bearer {API_KEY}"}
    ingest = httpx.Client(base_url=f"{at}:{settings.ingest_port}", auth=(WRITE_KEY, ""), timeout=40)
    api = httpx.Client(base_url=f"{at}:{settings.serve_port}", headers=bearer, timeout=40)
    tables = clickhouse_connect.get_client(
        dsn=settings.clickhouse_url,
        username=settings.clickhouse_user,
        password=settings.clickhouse_password.get_secret_value(),
        database=settings.clickhouse_database,
    )
    try:
        with closing(ingest), closing(api), closing(tables):
            until(lambda: answers(ingest, "/healthz"), patience, "ingest answers")
            until(lambda: answers(api, "/readyz"), patience, "the API is ready")
            yield ingest, api, tables
    finally:
        for part in reversed(parts):
            process.stop(part, 20)


def after(api: httpx.Client, path: str, receipt: str) -> httpx.Response:
    """Read something once the event of `receipt`, if any, was applied.

    The API waits for half a minute at most, and a worker that starts may take longer.
    """
    if not receipt:
        return api.get(path)

    def ask() -> httpx.Response | None:
        answer = api.get(path, params={"wait_for": receipt, "timeout": "30"})
        return answer if answer.status_code != 504 else None

    return until(ask, 120, f"{receipt} in {path}")


def clean_environment() -> dict[str, str]:
    """Return this process's environment without settings of its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("C360_")}


def answers(client: httpx.Client, path: str) -> bool:
    try:
        return client.get(path).status_code == 200
    except httpx.TransportError:
        return False
