"""Servers that are gone for a while, and every part killed in turn, under the real `c360 up`.

Customers buy all the time, and send each order until it is acknowledged: in the end each
order is in the profiles and in the tables, once.
"""

import json
import os
import pty
import signal
import subprocess
import sys
import time

import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError

from infra.local import home, ports
from infra.local.clickhouse import ClickHouseServer
from infra.local.kafka import KafkaBroker
from infra.settings import Settings
from projections.views import ANALYST_VIEWS
from tests.support.up import Shoppers, Up, running
from tests.support.waiting import gone, kill, until

pytestmark = [pytest.mark.stack, pytest.mark.chaos]

# Seconds that a server is gone; longer ones are tried with OUTAGE=60.
OUTAGE = float(os.environ.get("OUTAGE", "20"))
SECRETS = {
    "clickhouse_password": "outage-clickhouse",
    "analyst_password": "outage-analyst",
    "write_keys": "shop=outage-write-key",
    "api_keys": "desk=outage-api-key",
    "snapshot_secret": "outage-snapshots",
    "webhook_secret": "whsec_b3V0YWdlLXdlYmhvb2stc2VjcmV0",
}


def settings_in(folder, **over) -> Settings:
    own = {f"{name}_port": ports.free_port() for name in ("ingest", "serve", "worker")}
    return Settings.model_validate(
        SECRETS | {"home": folder / "home", "partitions": 4, "instance": "w0"} | own | over
    )


@pytest.fixture(scope="module")
def kafka(tmp_path_factory):
    """A Kafka that the tests here may kill."""
    broker = KafkaBroker(tmp_path_factory.mktemp("kafka"), ports.free_port())
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    """A ClickHouse that the tests here may kill."""
    server = ClickHouseServer(
        tmp_path_factory.mktemp("warehouse"),
        ports.free_port(),
        ports.free_port(),
        user="c360",
        password=SECRETS["clickhouse_password"],
        analyst_password=SECRETS["analyst_password"],
        readable=tuple(f"c360.{view}" for view in ANALYST_VIEWS),
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def up(kafka, warehouse, tmp_path_factory):
    """`c360 up` on those two servers."""
    folder = tmp_path_factory.mktemp("outages")
    with running(settings_in(folder, kafka=kafka.bootstrap, clickhouse=warehouse.url)) as up:
        yield up


def rows(settings: Settings, name: str) -> tuple[int, int, int] | None:
    """Return rows, different orders and dollars of some shoppers; None without ClickHouse."""
    try:
        client = clickhouse_connect.get_client(
            dsn=settings.clickhouse_url,
            username=settings.clickhouse_user,
            password=settings.clickhouse_password.get_secret_value(),
            database=settings.clickhouse_database,
        )
    except (ClickHouseError, OSError):
        return None
    question = (
        "SELECT count(), uniqExact(order_id), toUInt64(sum(amount)) FROM touchpoints FINAL"
        " WHERE startsWith(event_id, {name:String})"
    )
    found = client.query(question, {"name": f"{name}-"}).first_row
    client.close()
    return tuple(found)


def prove_exact(up: Up, shoppers: Shoppers) -> None:
    """Wait until profiles and tables have each order; then none is there twice."""
    with up.api() as api:
        until(lambda: shoppers.told(api) >= shoppers.acknowledged, 90, "every order in a profile")
    every = (shoppers.acknowledged,) * 3
    until(lambda: rows(up.settings, shoppers.name) == every, 90, f"rows, orders, dollars {every}")
    with up.api() as api:
        assert shoppers.told(api) == shoppers.acknowledged


def test_without_clickhouse_everything_else_goes_on_and_each_row_arrives_once(up, warehouse):
    before = up.pids()
    with Shoppers(up, "warehouse").buying() as shoppers, up.api() as api:
        until(lambda: (rows(up.settings, shoppers.name) or (0,))[0] > 0, 60, "the first rows")
        memory = up.memory("project")
        kill(warehouse.pid)
        acknowledged, seen = shoppers.acknowledged, shoppers.told(api)
        grown, end = 0, time.monotonic() + OUTAGE
        while time.monotonic() < end:
            grown = max(grown, up.memory("project") - memory)
            time.sleep(0.5)
        until(lambda: shoppers.told(api) > max(seen, acknowledged), 60, "profiles go on")
        assert up.pids() == before, "no part has ended"
        warehouse.start()
        until(lambda: (rows(up.settings, shoppers.name) or (0,))[0] > acknowledged, 60, "rows")
    assert shoppers.refusals == []
    prove_exact(up, shoppers)
    assert grown < 32 * 2**20, "what waits is bounded"
    assert up.pids() == before


def test_without_kafka_senders_are_told_to_wait_and_nothing_acknowledged_is_lost(up, kafka):
    before = up.pids()
    with Shoppers(up, "kafka").buying() as shoppers:
        until(lambda: shoppers.acknowledged > 50, 60, "orders before the outage")
        kill(kafka.pid)
        kill(before["worker"])  # it cannot start meanwhile, and is not given up for that
        time.sleep(OUTAGE)
        refused = list(shoppers.refusals)
        acknowledged = shoppers.acknowledged
        kafka.start()
        until(lambda: shoppers.acknowledged > acknowledged + 50, 90, "orders after it")
        until(lambda: up.pids().get("worker", before["worker"]) != before["worker"], 90, "worker")
        up.wait_ready()
    assert refused, "nobody was told"
    assert {status for status, _ in refused} == {503}
    assert all(1 <= int(wait) <= 60 for _, wait in refused), refused
    prove_exact(up, shoppers)
    after = up.pids()
    assert after["ingest"] == before["ingest"], "it recovers by itself"
    assert after["serve"] == before["serve"]


def test_every_part_is_killed_in_turn_and_comes_back_with_equal_data(tmp_path):
    own = {f"{n}_port": ports.free_port() for n in ("kafka", "clickhouse", "clickhouse_native")}
    with running(settings_in(tmp_path, **own)) as up:
        with Shoppers(up, "turn").buying() as shoppers:
            for name in ("fit", "ingest", "serve", "project", "worker", "clickhouse", "kafka"):
                victim = up.pids()[name]
                kill(victim)
                until(lambda n=name, v=victim: up.pids().get(n, v) != v, 60, f"{name} again")
                up.wait_ready()
        prove_exact(up, shoppers)
        assert all(up.parts()[name].restarts >= 1 for name in up.pids())
        everything = list(up.pids().values())
    assert gone(everything)


def test_a_closed_terminal_stops_everything_and_leaves_nothing(tmp_path):
    own = {f"{n}_port": ports.free_port() for n in ("clickhouse", "clickhouse_native")}
    settings = settings_in(tmp_path, **own)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("C360_")}
    screen, terminal = pty.openpty()
    # A session of its own, whose controlling terminal is the new one: as a window is. Tests
    # that run under nohup hand SIGHUP down ignored.
    window = (
        "import fcntl, os, signal, sys, termios; signal.signal(signal.SIGHUP, signal.SIG_DFL);"
        "os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
        "os.execv(sys.executable, [sys.executable, '-m', 'infra.cli', 'up', 'clickhouse'])"
    )
    up = subprocess.Popen(
        [sys.executable, "-c", window],
        env=clean | settings.environ() | {"TERM": "xterm"},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    try:

        def ready():
            parts = home.published(settings.home)
            return parts and all(one.state == "ready" for one in parts) and parts

        pids = [one.pid for one in until(ready, 60, "ready in the window") if one.pid]
        assert pids
        os.close(screen)  # the window is closed
        assert up.wait(60) in (0, -signal.SIGHUP)
    finally:
        up.kill()
        up.wait()
    assert gone(pids)
    assert {one["state"] for one in published(settings)} == {"stopped"}
    assert home.holder(settings.home) is None
    for port in own.values():
        assert ports.is_free(port)


def published(settings: Settings) -> list[dict]:
    return json.loads((settings.home / home.STATE).read_text())
