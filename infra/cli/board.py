"""The demo's live table: customers with their risk and offer, and how the system does.

Pure: figures and customers in, something to print out.
"""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

Json = dict[str, Any]
_COLOURS = {"low": "green", "medium": "yellow", "high": "red"}
_BAR = 10  # characters


def line(stats: Json) -> str:
    """Return the figures in one line, for where there is no terminal."""
    fresh = stats["freshness"] or {}
    bands = stats["risk_bands"]
    return (
        f"{stats['customers']:,} customers, {stats['events']:,} events "
        f"({stats['events_per_second']:,.0f}/s), fresh in {_ms(fresh.get('p50_ms'))} "
        f"(p99 {_ms(fresh.get('p99_ms'))}), high risk {bands['high']:,}, "
        f"open alerts {stats['open_alerts']:,}, dead letters {stats['dead_letters'] or 0:,}, "
        f"lag {sum(step['lag'] or 0 for step in stats['lag']):,}"
    )


def board(stats: Json | None, customers: list[Json], foot: RenderableType) -> RenderableType:
    """Lay everything out, customers newest first."""
    if stats is None:
        return Group("waiting for the profile API …", foot)
    return Group(
        Panel(_figures(stats), title="customer360", title_align="left", border_style="dim"),
        _table(customers),
        foot,
    )


def _figures(stats: Json) -> Table:
    fresh = stats["freshness"] or {}
    grid = Table.grid(padding=(0, 3), expand=False)
    cells = [
        ("customers", f"{stats['customers']:,}"),
        ("events", f"{stats['events']:,}"),
        ("events a second", f"{stats['events_per_second']:,.0f}"),
        ("freshness p50", _ms(fresh.get("p50_ms"))),
        ("freshness p99", _ms(fresh.get("p99_ms"))),
        ("open alerts", f"{stats['open_alerts']:,}"),
        ("dead letters", f"{stats['dead_letters'] or 0:,}"),
    ]
    grid.add_row(*(Text(name, style="dim") for name, _ in cells))
    grid.add_row(*(Text(value, style="bold") for _, value in cells))
    bands = Text("risk  ", style="dim")
    for band, count in stats["risk_bands"].items():
        bands.append(f"{band} {count:,}   ", style=_COLOURS[band])
    lags = Text("lag   ", style="dim")
    for step in stats["lag"]:
        shown = "–" if step["lag"] is None else f"{step['lag']:,}"
        lags.append(f"{step['step']} ", style="dim")
        lags.append(f"{shown}   ", style="yellow" if (step["lag"] or 0) > 1000 else "")
    outer = Table.grid()
    for row in (grid, Text(), bands, lags):
        outer.add_row(row)
    return outer


def _table(customers: list[Json]) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False, expand=False, padding=(0, 2, 0, 0))
    table.add_column("customer", width=22, no_wrap=True)
    table.add_column("churn risk", width=_BAR + 6, no_wrap=True)
    table.add_column("offer to make now", width=24, no_wrap=True)
    table.add_column("newest touchpoint", width=22, no_wrap=True)
    table.add_column("events", justify="right")
    for customer in customers:
        table.add_row(
            escape(name(customer)),
            _risk(customer["scores"].get("churn")),
            _offer(customer.get("offer")),
            escape(_newest(customer)),
            f"{customer['computed'].get('events', 0):,}",
        )
    return table


def name(customer: Json) -> str:
    """Return what to call a customer: the stated name, else an identifier, else the id."""
    traits = customer["traits"]
    if "name" in traits:
        return str(traits["name"]["value"])
    parts = [traits[key]["value"] for key in ("first_name", "last_name") if key in traits]
    known = [f"{one['type']}:{one['value']}" for one in customer["identifiers"]]
    return " ".join(map(str, parts)) or (known or [customer["customer_id"]])[0]


def _risk(score: Json | None) -> Text:
    if score is None:
        return Text("–", style="dim")
    filled = round(score["probability"] * _BAR)
    bar = "━" * filled
    colour = _COLOURS[score["band"]]
    shown = Text(bar, style=colour)
    shown.append("━" * (_BAR - filled), style="bright_black")
    return shown.append(f" {score['probability']:4.0%}", style=colour)


def _offer(offer: Json | None) -> Text:
    if offer is None:
        return Text("–", style="dim")
    if offer["offer"] == "none":
        return Text("none (control)" if offer["holdout"] else "none", style="dim")
    channel = f" · {offer['channel']}" if offer["channel"] else ""
    return Text(f"{offer['offer']}{channel}")


def _newest(customer: Json) -> str:
    timeline = customer["timeline"]
    return str(timeline[0]["type"]).replace("_", " ") if timeline else ""


def _ms(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f} ms" if value < 10_000 else f"{value / 1000:,.0f} s"
