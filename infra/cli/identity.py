"""`c360 identity show|merge|unmerge|refused`: who is one customer, and a person's word on it."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Annotated

import typer

from infra.cli import identity_view
from infra.cli.api import Api, Json, asking
from infra.cli.context import settings_and_secrets
from infra.cli.identity_ledger import Ledger, ledger, plain
from infra.cli.identity_names import elsewhere, known_names, name_of
from infra.cli.identity_word import give, said
from infra.cli.terminal import Terminal
from infra.errors import UserError
from infra.settings import Settings
from models.errors import TouchpointRejectedError
from models.links import Identity, state_unmerge, unmerge
from models.naming import derive

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Who is one customer: show it, merge two, take one out again.",
)
Who = Annotated[
    str, typer.Argument(metavar="ID", help="customer id, type:value, or what a search finds alone")
]
By = Annotated[str, typer.Option(help="who says so; left out: this machine's user")]
Why = Annotated[str, typer.Option(help="why, for whoever looks later")]
Wait = Annotated[float, typer.Option(min=0, help="seconds to wait for the outcome")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command()
def show(who: Who, as_json: AsJson = False) -> None:
    """Show one customer's members, links with who and why, history, and what was refused."""
    settings = settings_and_secrets()
    with asking(settings) as api:
        customer = api.customer(who, "/identity")
        found: Json = {"customer": customer}
        try:
            with ledger(settings) as tables:
                found |= _recorded(tables, [one["customer_id"] for one in customer["members"]])
        except UserError as error:  # the live part is worth telling alone
            typer.secho(f"without links and history: {error.what}", fg="yellow", err=True)
        if as_json:
            rows = {
                name: plain(given) if isinstance(given, list) else given
                for name, given in found.items()
            }
            typer.echo(json.dumps(rows, ensure_ascii=False))
            return
        names = known_names(api, _ids(found))
        Terminal().print(identity_view.whole(found, names, elsewhere(api, customer)))


@app.command()
def merge(
    left: Who, right: Who, reason: Why, by: By = "", wait: Wait = 60.0, as_json: AsJson = False
) -> None:
    """Make two customers one."""
    settings = settings_and_secrets()
    with asking(settings) as api:
        body = {"left": name_of(api, left), "right": name_of(api, right)}
        give(settings, api, "merge", body | said(by, reason), wait, as_json)


@app.command("unmerge")
def unmerge_(
    who: Who,
    reason: Why,
    by: By = "",
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    wait: Wait = 120.0,
    as_json: AsJson = False,
) -> None:
    """Take a member out of its customer; whoever was linked to it alone goes with it."""
    settings = settings_and_secrets()
    word = said(by, reason)
    with asking(settings) as api:
        member = _member(settings, api, who)
        if not yes:
            with ledger(settings) as tables:
                staying, leaving = _parted(settings, tables, api, member)
            names = known_names(api, [*staying, *leaving])
            Terminal().print(identity_view.sides(staying, leaving, names))
            typer.confirm("Part them?", abort=True)
        give(settings, api, "unmerge", {"customer": member} | word, wait, as_json)


@app.command()
def refused(
    limit: Annotated[int, typer.Option(min=1, help="how many customers, most first")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show which links were not followed, by reason, and the customers with most of them."""
    settings = settings_and_secrets()
    with ledger(settings) as tables:
        reasons, customers = tables.reasons(), tables.most_refused(limit)
    if as_json:
        told = {"reasons": plain(reasons), "customers": plain(customers)}
        typer.echo(json.dumps(told, ensure_ascii=False))
    elif not reasons:
        typer.echo("nothing was refused")
    else:
        with asking(settings) as api:
            names = known_names(api, [one["customer_id"] for one in customers])
        Terminal().print(identity_view.refusals(reasons, customers, names))


def _recorded(tables: Ledger, members: list[str]) -> Json:
    """Return what the tables tell of a group; each link with its state today."""
    nodes = tables.nodes(members)
    links = tables.links(members)
    ends = {one[end] for one in links for end in ("customer_id", "other")}
    nodes |= tables.nodes(sorted(ends - nodes.keys() - {""}))
    for link in links:
        link["state"] = state(nodes, members, link["customer_id"], link["other"])
    refused = tables.refused(members)
    return {
        "links": links,
        "history": tables.moves(members),
        "refused": refused,
        "advice": identity_view.advice(links, refused),
    }


def state(nodes: dict[str, Identity], members: Collection[str], one: str, other: str) -> str:
    """Return what became of a link between two, of whom one or both are members of a group."""
    for keeper, end in ((one, other), (other, one)):
        if keeper in nodes and end in nodes[keeper].links:
            found: str = nodes[keeper].links[end].state
            again = found == "cut" and one in members and other in members
            return "cut, joined again" if again else found
    return "not followed"


def _ids(found: Json) -> list[str]:
    """Return every customer id that is shown, the members first."""
    rows = [
        *found["customer"]["members"],
        *(row for name in ("links", "history", "refused") for row in found.get(name, ())),
    ]
    ids = (row[end] for row in rows for end in ("customer_id", "other", "root") if row.get(end))
    return list(dict.fromkeys(ids))


def _member(settings: Settings, api: Api, who: str) -> str:
    named = derive(who, settings.identity_rules())
    return named if named is not None else str(api.customer(who)["customer_id"])


def _parted(
    settings: Settings, tables: Ledger, api: Api, member: str
) -> tuple[list[str], list[str]]:
    """Return who would stay and who would leave. Raises UserError when nothing can be parted."""
    group = tables.group(api.customer(member)["customer_id"])
    nodes = tables.nodes(group)
    command = state_unmerge(member, "nobody", "to see who would leave", 0)
    try:
        found = unmerge(command, nodes.get, 0, settings.identity_rules())
    except TouchpointRejectedError as error:
        raise UserError(error.detail, "`c360 identity show` tells who is one customer") from error
    places = {place.member: place.root for place in found.regroups}
    leaving = [one for one in group if places.get(one) == places.get(member)]
    return [one for one in group if one not in leaving], leaving
