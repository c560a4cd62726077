"""`c360 status`: what runs, how far behind each step is, how fresh, how much there is."""

from __future__ import annotations

import json
import time
from typing import Annotated, Any

import psutil
import typer
from rich.console import Console
from rich.table import Table

from infra.cli import figures, workers
from infra.cli.context import settings_and_secrets
from infra.cli.terminal import Terminal
from infra.local import home
from infra.settings import Settings


def command(
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Show processes, workers, lag by step, freshness and table counts.

    Exit code 1 when Kafka, the profile API or ClickHouse does not answer.
    """
    found = gather(settings_and_secrets())
    if as_json:
        typer.echo(json.dumps(found))
    else:
        _show(found, Terminal())
    if any(found[name] is None for name in ("lag", "profiles", "tables")):
        raise typer.Exit(1)


def gather(settings: Settings) -> dict[str, Any]:
    """Return all figures, JSON-ready; None stands for what does not answer."""
    now = time.time_ns() // 1_000_000
    stats = figures.Api(settings).stats()
    return {
        "home": str(settings.home),
        "up": home.holder(settings.home),
        "parts": [
            {
                "name": part.name,
                "state": part.state,
                "pid": part.pid,
                "restarts": part.restarts,
                "seconds": (now - part.since_ms) // 1000,
                "memory_bytes": _memory(part.pid),
            }
            for part in home.published(settings.home)
        ],
        "workers": workers.told(settings),
        "lag": figures.lag(settings),
        "profiles": stats
        and {
            name: stats.get(name)
            for name in (
                *("customers", "events", "scored", "events_per_second", "freshness"),
                *("risk_bands", "open_alerts", "dead_letters"),
            )
        },
        "tables": figures.tables(settings),
    }


def _memory(pid: int | None) -> int | None:
    try:
        return psutil.Process(pid).memory_info().rss if pid else None
    except psutil.Error:  # it ended meanwhile
        return None


def _show(found: dict[str, Any], console: Console) -> None:
    if found["up"] is None:
        console.print(f"no `c360 up` is running on {found['home']}")
    else:
        console.print(f"`c360 up` is process {found['up']}, on {found['home']}")
        console.print(_parts(found["parts"]))
    if found["workers"]:
        console.print(workers.table(found["workers"]))
    console.print(_section("records behind", found["lag"], "Kafka does not answer"))
    console.print(_section("profiles", _flat(found["profiles"]), "the profile API does not answer"))
    console.print(_section("rows in ClickHouse", found["tables"], "ClickHouse does not answer"))


def _parts(parts: list[dict[str, Any]]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("part", "state", "process", "for", "memory", "restarts"):
        table.add_column(name)
    for part in parts:
        memory = part["memory_bytes"]
        table.add_row(
            part["name"],
            part["state"] if part["state"] == "ready" else f"[yellow]{part['state']}[/]",
            str(part["pid"] or ""),
            f"{part['seconds']} s",
            f"{memory // 2**20} MiB" if memory else "",
            str(part["restarts"] or ""),
        )
    return table


def _section(title: str, values: dict[str, Any] | None, absent: str) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, min_width=24)
    table.title, table.title_justify = title, "left"
    table.title_style = "bold"
    if values is None:
        table.add_row(f"[red]{absent}[/]; `c360 doctor` tells more")
    for name, value in (values or {}).items():
        table.add_row(name, "–" if value is None else f"{value:,}")
    return table


def _flat(profiles: dict[str, Any] | None) -> dict[str, Any] | None:
    """Lay nested figures side by side."""
    if profiles is None:
        return None
    flat: dict[str, Any] = {}
    for name, value in profiles.items():
        if isinstance(value, dict):
            flat |= {f"{name} {inner}": figure for inner, figure in value.items()}
        else:
            flat[name] = value
    return flat
