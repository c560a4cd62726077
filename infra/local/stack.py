"""The parts of customer360 on one machine, and what each needs.

Each part reads its settings from the environment alone, secrets included; so a part
started by hand behaves as one started here.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from infra.admin import create_topics
from infra.errors import UserError
from infra.group import leave, worker_group
from infra.local import clickhouse, kafka, ports
from infra.local.clickhouse import ClickHouseServer
from infra.local.kafka import KafkaBroker
from infra.local.part import Part
from infra.settings import PREFIX, Settings
from projections.views import ANALYST_VIEWS

# What `c360 up` can be asked for, in the order of starting.
CHOICES = ("kafka", "clickhouse", "worker", "ingest", "project", "fit", "serve")
# Made ready whenever a chosen part needs them.
PREPARATIONS = ("topics", "tables")
Say = Callable[[str], None]


def build(settings: Settings, secrets: Callable[[], Settings], say: Say) -> list[Part]:
    """Return every part in the order of starting. `secrets` resolves the settings anew."""
    run = partial(_module, settings, secrets)
    workers = [_worker(settings, secrets, number) for number in range(settings.workers)]
    return [
        _kafka(settings, say),
        _clickhouse(settings, secrets),
        Part(name="topics", launch=lambda: _topics(settings), needs=("kafka",)),
        Part(name="tables", launch=lambda: _tables(secrets()), needs=("clickhouse",)),
        *workers,
        run("serve", "projections.serve", port="serve_port", needs=("topics",)),
        run("ingest", "streams.ingest", port="ingest_port", needs=("topics",)),
        run("project", "projections", needs=("topics", "tables")),
        run("fit", "infra.fit", needs=("topics",)),
    ]


def choose(parts: list[Part], names: tuple[str, ...]) -> list[Part]:
    """Return the parts of these names (none: all), and the preparations they need.

    "worker" names all of them.
    """
    unknown = set(names) - set(CHOICES)
    if unknown:
        raise UserError(f"no such part: {', '.join(sorted(unknown))}", f"choose of {CHOICES}")
    if not names:
        return parts
    asked = [part for part in parts if part.name.partition("-")[0] in names]
    needed = {need for part in asked for need in part.needs}
    return [part for part in parts if part in asked or part.name in needed & set(PREPARATIONS)]


def environment(settings: Settings) -> dict[str, str]:
    """Return this process's environment with the settings, secrets included, in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return kept | settings.environ() | {"PYTHONUNBUFFERED": "1"}


def require_work(settings: Settings, count: int) -> None:
    """Raise UserError when so many workers would share fewer partitions."""
    if count > settings.partitions:
        raise UserError(
            f"{count} workers would share {settings.partitions} partitions",
            "more workers than partitions have nothing to do",
        )


def worker_settings(settings: Settings, number: int) -> dict[str, object]:
    """Return what sets a worker apart from the first, which is number 0: its name and port."""
    if number == 0:
        return {}
    return {
        "instance": f"{settings.instance}-{number + 1}",
        "worker_port": settings.worker_port + number,
    }


def _worker(settings: Settings, secrets: Callable[[], Settings], number: int) -> Part:
    own = worker_settings(settings, number)
    named = settings.model_copy(update=own)
    part = _module(
        named,
        lambda: secrets().model_copy(update=own),
        "worker" if number == 0 else f"worker-{number + 1}",
        "streams",
        port="worker_port",
        needs=("topics",),
    )
    group = worker_group(settings)
    return replace(part, survive=partial(leave, named, group, named.instance))


def _kafka(settings: Settings, say: Say) -> Part:
    healthy = partial(kafka.is_healthy, settings.brokers)
    if settings.kafka:
        return Part(name="kafka", launch=lambda: None, healthy=healthy, where=settings.kafka)
    broker = KafkaBroker(settings.home / "kafka", settings.kafka_port, say)
    return Part(name="kafka", launch=broker.command, healthy=healthy, where=broker.bootstrap)


def _clickhouse(settings: Settings, secrets: Callable[[], Settings]) -> Part:
    healthy = partial(clickhouse.is_healthy, settings.clickhouse_url)
    where = settings.clickhouse_url
    if settings.clickhouse:
        return Part(name="clickhouse", launch=lambda: None, healthy=healthy, where=where)
    known = secrets()
    server = ClickHouseServer(
        settings.home / "clickhouse",
        settings.clickhouse_port,
        settings.clickhouse_native_port,
        user=settings.clickhouse_user,
        password=known.clickhouse_password.get_secret_value(),
        analyst_password=known.analyst_password.get_secret_value(),
        readable=tuple(f"{settings.clickhouse_database}.{view}" for view in ANALYST_VIEWS),
    )
    return Part(
        name="clickhouse",
        launch=server.command,
        healthy=healthy,
        environ=server.environ,
        where=where,
    )


def _topics(settings: Settings) -> None:
    create_topics(settings)


def _tables(settings: Settings) -> None:
    from projections.migrate import MigrationFailedError, migrate  # slow, and for this part only

    try:
        migrate(settings)
    except MigrationFailedError as error:
        raise UserError(
            f"the tables cannot be brought up to date: {error}", "`c360 migrate --dry-run` tells"
        ) from error


def _module(
    settings: Settings,
    secrets: Callable[[], Settings],
    name: str,
    module: str,
    *,
    port: str = "",
    needs: tuple[str, ...],
) -> Part:
    number = getattr(settings, port) if port else 0

    def launch() -> list[str]:
        if number:
            ports.require_free(number, f"the {name}", port)
        return [sys.executable, "-m", module]

    def environ() -> Mapping[str, str]:
        return environment(secrets())

    url = f"http://{settings.host}:{number}"
    return Part(
        name=name,
        launch=launch,
        environ=environ,
        needs=needs,
        where=url if port else "",
        follows_secrets=name in ("ingest", "serve"),
        **({"healthy": partial(answers, f"{url}/healthz")} if port else {"steady_seconds": 1.0}),
    )


def answers(url: str) -> bool:
    """Whether a GET of `url` says 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
