"""A customer laid out for the terminal: as the profile API tells it, live or as of a time."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from rich.columns import Columns
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from infra.cli.api import Json
from infra.cli.expected import expected
from infra.cli.times import ago

COLOURS = {"low": "green", "medium": "yellow", "high": "red"}


def considered(customer: Json) -> Group:
    """Lay out what would be offered to a customer now, and why anything would not."""
    table = Table(box=None, header_style="dim")
    for column in ("offer", "by", "chance", "converts", f"worth {customer['currency']}", ""):
        table.add_column(column)
    for one in sorted(customer["arms"], key=lambda one: -one["propensity"]):
        known = one["worth"] is not None
        cells = (
            one["offer"],
            one["channel"] or "",
            f"{one['propensity']:.1%}" if known else "–",
            f"{one['conversion']:.1%}" if known else "–",
            f"{one['worth']:.2f}" if known else "–",
            "" if one["text"] is None else one["text"]["en"],
        )
        style = "" if one["eligible"] else "dim"
        table.add_row(*(Text(cell, style) for cell in cells))
    stands = customer["offer"]
    now = "nothing stands" if stands is None else f"{stands['offer']} stands"
    learnt = f"{now}; by a model of {customer['model_version']} outcomes"
    return Group(Text(customer["customer_id"], "bold"), Text(learnt, "dim"), table)


def view(customer: Json, reasons: bool = False) -> Group:
    """Lay a customer out for the terminal; how long ago something was is told as of its time.

    `reasons`: how the score adds up as well.
    """
    now = _moment(customer)
    traits = {name: said["value"] for name, said in customer["traits"].items()}
    names = (traits.get("name"), *(one["value"] for one in customer["identifiers"]))
    name = next((str(one) for one in names if one), "")
    who = Text.assemble((name, "bold"), f"  {customer['customer_id']}", style="")
    version = f"version {customer['version']}, " if "version" in customer else ""
    who.append(f"  {version}updated {ago(customer['updated_at'], now)}", "dim")
    facts = _facts(
        {f"{one['type']}": one["value"] for one in customer["identifiers"]}
        | {name: value for name, value in traits.items() if name != "name"}
    )
    cards = [
        Panel(facts, title="who"),
        Panel(_value(customer, now), title="value"),
        Panel(_offer(customer, now), title="offer then" if "as_of" in customer else "offer now"),
    ]
    return Group(
        *_as_of(customer),
        who,
        *_alerts(customer, now),
        Columns(cards),
        Panel(_risk(customer, reasons), title="risk"),
        _timeline(customer, now),
    )


def _moment(customer: Json) -> datetime:
    """Return the time that a customer is told as of: now, for a live one."""
    told = customer.get("as_of", {})
    at = told.get("at") or told.get("known_at")
    return datetime.fromisoformat(at) if at else datetime.now(UTC)


def _as_of(customer: Json) -> list[Text]:
    """Say plainly as of when a customer is told: nothing, for a live one."""
    told = customer.get("as_of")
    if told is None:
        return []
    line = Text("as of ", "bold yellow")
    line.append("all that had happened" if told["at"] is None else _clock(told["at"]))
    if told["known_at"]:
        line.append(f", by what was known on {_clock(told['known_at'])}")
    identity = "as today" if told["known_at"] is None else f"as on {_clock(told['identity_at'])}"
    more = f"touchpoints {told['events']}, customer ids {len(told['members'])}, joined {identity}"
    lines = [line, Text(more, "dim")]
    if not told["complete"]:
        lines.append(Text("the newest touchpoints are still on their way to ClickHouse", "yellow"))
    return lines


def _clock(iso: str) -> str:
    return f"{datetime.fromisoformat(iso):%Y-%m-%d %H:%M:%S} UTC"


def _facts(facts: dict[str, object]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        table.add_row(Text(name, "dim"), Text(str(value)))
    return table


def _value(customer: Json, now: datetime) -> Table:
    computed = customer["computed"]
    revenue = " + ".join(f"{amount} {code}" for code, amount in computed["revenue"].items())
    return _facts(
        {
            "revenue": revenue or "–",
            "orders": computed["orders"],
            "touchpoints": computed["events"],
            "last contact": ago(computed["last_seen_at"], now),
            "open tickets": len(customer["open_tickets"]),
            **expected(customer, now),
        }
    )


def _offer(customer: Json, now: datetime) -> Text:
    offer = customer["offer"]
    if offer is None:
        return Text("nothing decided yet", "dim")
    if offer["holdout"]:
        return Text("control group: make no offer", "dim")
    if offer["offer"] == "none":
        return Text("make no offer now", "dim")
    text = Text(offer["offer"], "bold")
    text.append(f"\nby {offer['channel']}, expires {ago(offer['expires_at'], now)}", "not bold dim")
    return text


def _risk(customer: Json, whole: bool) -> Group | Text:
    score = next(iter(customer["scores"].values()), None)
    if score is None:
        return Text("not scored yet", "dim")
    filled = round(score["probability"] * 40)
    colour = COLOURS[score["band"]]
    contract = score["horizon"].startswith("contract")
    means = "no contract left in" if contract else "no contact within"
    gauge = Text.assemble(
        (f"{score['probability']:.0%} ", f"bold {colour}"),
        ("█" * filled, colour),
        ("░" * (40 - filled), "dim"),
        (f" {score['band']}: {means} {score['horizon_days']} days", ""),
    )
    language = (
        "ko" if os.environ.get("LC_ALL", os.environ.get("LANG", "")).startswith("ko") else "en"
    )
    table = Table.grid(padding=(0, 2))
    for reason in (*score["reasons"], *(score["rest"] if whole else ())):
        raises = reason["effect"] == "raised"
        table.add_row(
            Text("▲ raised" if raises else "▼ lowered", "red" if raises else "green"),
            Text(reason["text"][language]),
            Text(f"{reason['contribution']:+.2f}", "dim") if whole else "",
        )
    if whole:
        logit = sum(one["contribution"] for one in (*score["reasons"], *score["rest"]))
        table.add_row("", Text("together, in log-odds", "dim"), Text(f"{logit:+.2f}", "dim"))
    return Group(gauge, table)


def _alerts(customer: Json, now: datetime) -> list[Text]:
    return [
        Text(f"! {one['rule']} alert open since {ago(one['opened_at'], now)}", "bold red")
        for one in customer["episodes"]
        if one["status"] == "open"
    ]


def _timeline(customer: Json, now: datetime) -> Table:
    table = Table(box=None, header_style="dim")
    for column in ("when", "what", "about", "channel"):
        table.add_column(column)
    for one in customer["timeline"]:
        cells = (ago(one["occurred_at"], now), one["type"], one["summary"], one["channel"] or "")
        table.add_row(*map(Text, cells))  # as text: a summary may hold rich's own markup
    return table
