"""How `c360 identity` shows it: members, links, history and refusals, each by its best name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from infra.cli.api import Json
from models.links import MEANS, WAYS

SAID = {
    "observed": "seen together",
    "identified": "identified",
    "aliased": "alias",
    "stated": "merged by hand",
    "unmerged": "unmerged by hand",
}
STATES = {
    "holds": "green",
    "known": "dim",
    "cut": "red",
    "cut, joined again": "bold red",
    "not followed": "yellow",
}
CUTS = {
    "cut": (
        "an unmerge: the two are not joined, however they are seen together",
        WAYS["unmerged"],
    ),
    "cut, joined again": (
        "parted once, and one customer again by names that were not seen together before",
        "unmerge again, and block in the rules the name that misleads; else leave it",
    ),
}
Names = Mapping[str, str]


def whole(found: Json, names: Names, elsewhere: Names) -> Group:
    """Lay out who one customer is. `elsewhere`: identifiers that are another customer's."""
    customer = found["customer"]
    who = Text.assemble((names.get(customer["customer_id"], ""), "bold"), "  ")
    who.append(f"{customer['customer_id']}  version {customer['version']}", "dim")
    if not customer["complete"]:
        who.append("  being put together anew", "bold yellow")
    parts: list[RenderableType] = [who, _members(customer, names, elsewhere)]
    if (links := found.get("links")) is not None:
        parts += [
            *_titled("links", _links(links, names)),
            *_titled("history", _history(found["history"], links, names)),
            *_titled("refused", _refused(found["refused"], names)),
            *_titled("what to do", _advised(found["advice"])),
        ]
    return Group(*parts)


def advice(links: Iterable[Json], refused: Iterable[Json]) -> dict[str, tuple[str, str]]:
    """Return what each cut and each refusal that is shown means, and what one may do about it."""
    states, reasons = {one["state"] for one in links}, {one["reason"] for one in refused}
    return {state: told for state, told in CUTS.items() if state in states} | {
        reason: (means, WAYS[reason]) for reason, means in MEANS.items() if reason in reasons
    }


def sides(staying: Iterable[str], leaving: Iterable[str], names: Names) -> Table:
    """Lay out who would stay and who would leave."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("stays")
    table.add_column("leaves", style="yellow")
    left, right = [names.get(one, one) for one in staying], [names.get(one, one) for one in leaving]
    for row in range(max(len(left), len(right))):
        table.add_row(*(Text(side[row] if row < len(side) else "") for side in (left, right)))
    return table


def refusals(reasons: list[Json], customers: list[Json], names: Names) -> Group:
    """Lay out what was refused: by reason, then by customer."""
    by_reason = _table("reason", "links", "customers", "newest", right=("links", "customers"))
    for one in reasons:
        by_reason.add_row(
            one["reason"], f"{one['links']:,}", f"{one['customers']:,}", _time(one["at"])
        )
    by_customer = _table(
        *("customer", "reason", "links", "members", "newest"), right=("links", "members")
    )
    for one in customers:
        by_customer.add_row(
            Text(names.get(one["customer_id"], one["customer_id"])),
            one["reason"],
            f"{one['links']:,}",
            f"{one['members']:,}",
            _time(one["at"]),
        )
    return Group(by_reason, *_titled("most refused", by_customer))


def _members(customer: Json, names: Names, elsewhere: Names) -> Table:
    table = _table("member", "customer id", "first seen")
    for number, member in enumerate(customer["members"]):
        known = member["identifier"]
        name = Text(names.get(member["customer_id"], "–"))
        if number == 0 and len(customer["members"]) > 1:
            name.append("  stands for all", "dim")
        table.add_row(name, member["customer_id"], known["first_seen_at"][:16] if known else "–")
    for one in customer["identifiers"]:
        if one["customer_id"] is None:
            text = f"{one['type']}:{one['value']}"
            other = elsewhere.get(text, "")
            name = Text(text, "dim")
            name.append("  is another customer today" if other else "  came along")
            table.add_row(name, other, one["first_seen_at"][:16])
    return table


def _links(links: list[Json], names: Names) -> Table | None:
    table = _table("seen last", "how", "who", "with", "by", "why", "")
    for one in links:
        if one["kind"] != "unmerged":
            table.add_row(
                _time(one["at"]),
                SAID.get(one["kind"], one["kind"]),
                *(Text(_name(one[end], names)) for end in ("customer_id", "other")),
                *(Text(one[said]) for said in ("by", "reason")),
                Text(one["state"], STATES[one["state"]]),
            )
    return table if table.row_count else None


def _history(moves: list[Json], links: list[Json], names: Names) -> Table | None:
    causes = {one["link_id"]: one for one in links}
    table = _table("when", "what", "who", "to", "by", "why")
    for one in moves:
        cause = causes.get(one["cause"], one)
        stays = one["root"] == one["customer_id"]
        what = "merged" if one["kind"] == "merged" else "stands by itself" if stays else "placed"
        table.add_row(
            _time(one["at"]),
            what,
            Text(_name(one["customer_id"], names)),
            Text("" if stays else _name(one["root"], names)),
            *(Text(one[said] or cause[said]) for said in ("by", "reason")),
        )
    return table if table.row_count else None


def _refused(refused: list[Json], names: Names) -> Table | None:
    table = _table("when", "reason", "who", "with")
    for one in refused:
        ends = (Text(_name(one[end], names)) for end in ("customer_id", "other"))
        table.add_row(_time(one["at"]), one["reason"], *ends)
    return table if table.row_count else None


def _advised(advice: Mapping[str, tuple[str, str]]) -> Table:
    table = _table("", "means", "what to do")
    for what, (means, way) in advice.items():
        table.add_row(Text(what), Text(means), Text(way))
    return table


def _titled(title: str, table: Table | None) -> list[RenderableType]:
    return [] if table is None or not table.row_count else [Text(f"\n{title}", "bold"), table]


def _table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left")
    return table


def _name(id: str, names: Names) -> str:
    return names.get(id, id)


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"
