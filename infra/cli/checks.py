"""What `c360 doctor` looks at. Each check finds one thing, and says what to do about it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import ExtensionFileLoader
from importlib.util import find_spec
from typing import Literal, NamedTuple

import clickhouse_connect
from clickhouse_connect.driver.exceptions import ClickHouseError

from infra import admin
from infra.compiled import build
from infra.errors import UserError
from infra.local import clickhouse, folders, home, kafka, ports
from infra.local.kafka import java
from infra.settings import PREFIX, Settings, SettingsError

OLDEST_PYTHON = (3, 11)
PORTS = {
    "kafka_port": "kafka",
    "clickhouse_port": "clickhouse",
    "clickhouse_native_port": "clickhouse",
    "ingest_port": "ingest",
    "serve_port": "serve",
}


class Finding(NamedTuple):
    """The result of a check. "idle": nothing is wrong, it just does not run."""

    name: str
    verdict: Literal["ok", "idle", "wrong"]
    said: str
    remedy: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Yield a finding for each check, in the order in which they depend on each other."""
    yield _tried("python", _python)
    yield _core()
    yield _tried("data directory", lambda: str(folders.prepare(settings.home, private=True)))
    yield _tried("offers", lambda: _offers(settings))
    yield _tried("identity rules", lambda: _rules(settings))
    if not settings.kafka:
        yield _tried("java", lambda: f"Java {java.java_version(java.java())}")
        yield _tried("kafka's jars", _jars)
    running = home.holder(settings.home)
    yield from _ports(settings, running)
    yield from _kafka(settings)
    yield _clickhouse(settings)


def _tried(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, "ok", check())
    except UserError as error:
        return Finding(name, "wrong", error.what, error.remedy)


def _python() -> str:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST_PYTHON:
        raise UserError(f"Python {version} is too old", "install Python 3.11 or newer")
    return f"Python {version}"


def _core() -> Finding:
    """Tell whether the core runs compiled; interpreted, it does the same, only later."""
    spec = find_spec("models.react")
    if spec is not None and isinstance(spec.loader, ExtensionFileLoader):
        return Finding("core", "ok", "compiled")
    return Finding("core", "idle", "interpreted: right, but slower", build.remedy())


def _offers(settings: Settings) -> str:
    if not settings.offers_file.is_file():
        raise UserError(f"there is no {settings.offers_file}", f"correct {PREFIX}OFFERS_FILE")
    return str(settings.offers_file)


def _rules(settings: Settings) -> str:
    try:
        settings.identity_rules()
    except SettingsError as error:
        raise UserError(str(error), f"correct {PREFIX}IDENTITY_FILE") from error
    return str(settings.identity_file)


def _jars() -> str:
    if java.cache().is_dir():
        return str(java.cache())
    if shutil.which("mvn") is None:
        raise UserError(
            "they are not here yet, and Maven is not installed", f"on Debian: {java.APT_LINE}"
        )
    return "not here yet; Maven will fetch them at the first start"


def _ports(settings: Settings, running: int | None) -> Iterator[Finding]:
    external = {"kafka": settings.kafka, "clickhouse": settings.clickhouse}
    needed = [(getattr(settings, name), name, part) for name, part in PORTS.items()]
    workers = range(settings.worker_port, settings.worker_port + settings.workers)
    for port, name, part in [*needed, *((port, "worker_port", "worker") for port in workers)]:
        if external.get(part):
            continue
        if ports.is_free(port):
            yield Finding(f"port {port}", "ok", f"free, for {part}")
        elif running:
            yield Finding(f"port {port}", "ok", f"{part}, of the running `c360 up`")
        else:
            yield Finding(
                f"port {port}",
                "wrong",
                f"{part} needs it; it is taken by {ports.holder(port)}",
                f"stop that program, or choose another port with {PREFIX}{name.upper()}",
            )


def _kafka(settings: Settings) -> Iterator[Finding]:
    if not kafka.is_healthy(settings.brokers):
        yield _absent("kafka", settings.brokers, settings.kafka, "KAFKA")
        return
    yield Finding("kafka", "ok", f"answers at {settings.brokers}")
    yield _tried("topics", lambda: _topics(settings))


def _topics(settings: Settings) -> str:
    states = admin.describe(settings)
    missing = [state.topic for state in states if not state.partitions]
    if missing:
        raise UserError(f"missing: {', '.join(missing)}", "`c360 topics --create` creates them")
    admin.verify({state.topic: state.partitions for state in states}, settings)
    return f"all {len(states)} are there"


def _clickhouse(settings: Settings) -> Finding:
    url = settings.clickhouse_url
    if not clickhouse.is_healthy(url):
        return _absent("clickhouse", url, settings.clickhouse, "CLICKHOUSE")
    try:
        client = clickhouse_connect.get_client(
            dsn=url,
            username=settings.clickhouse_user,
            password=settings.clickhouse_password.get_secret_value(),
        )
        version = str(client.server_version)
        client.close()
    except ClickHouseError as error:
        said = str(error).splitlines()[0]
        return Finding(
            "clickhouse",
            "wrong",
            f"{url} refuses the user {settings.clickhouse_user}: {said}",
            f"correct {PREFIX}CLICKHOUSE_USER and {PREFIX}CLICKHOUSE_PASSWORD",
        )
    return Finding("clickhouse", "ok", f"{version} answers at {url}")


def _absent(name: str, where: str, chosen: str, setting: str) -> Finding:
    """Judge a silent server: ours may be idle, one that a setting names should answer."""
    if chosen:
        return Finding(
            name, "wrong", f"nothing answers at {where}", f"start it, or correct {PREFIX}{setting}"
        )
    return Finding(name, "idle", "the embedded one is not running; `c360 up` starts it")
