"""`c360 identity show|merge|unmerge|refused`: who is one customer, and a person's word on it."""

from __future__ import annotations

import getpass
import json
import time
import uuid
from collections.abc import Collection, Iterable
from typing import Annotated, Any

import httpx
import typer

from infra.cli import identity_view
from infra.cli.api import Api, Json, asking
from infra.cli.context import settings_and_secrets
from infra.cli.identity_ledger import Ledger, ledger, plain
from infra.cli.terminal import Terminal
from infra.errors import UserError
from infra.secrets import first_key
from infra.settings import Settings
from models.errors import TouchpointRejectedError
from models.links import Identity, state_unmerge, unmerge
from models.naming import CUSTOMER_ID, derive, id_of

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Who is one customer: show it, merge two, take one out again.",
)
MOST_NAMED = 300  # customers asked for their names at once
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
        names = _names(api, _ids(found))
        Terminal().print(identity_view.whole(found, names, _elsewhere(api, customer)))


@app.command()
def merge(
    left: Who, right: Who, reason: Why, by: By = "", wait: Wait = 60.0, as_json: AsJson = False
) -> None:
    """Make two customers one."""
    settings = settings_and_secrets()
    with asking(settings) as api:
        body = {"left": _named(api, left), "right": _named(api, right)}
        _command(settings, api, "merge", body | _said(by, reason), wait, as_json)


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
    said = _said(by, reason)
    with asking(settings) as api:
        member = _member(settings, api, who)
        if not yes:
            with ledger(settings) as tables:
                staying, leaving = _parted(settings, tables, api, member)
            names = _names(api, [*staying, *leaving])
            Terminal().print(identity_view.sides(staying, leaving, names))
            typer.confirm("Part them?", abort=True)
        _command(settings, api, "unmerge", {"customer": member} | said, wait, as_json)


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
            names = _names(api, [one["customer_id"] for one in customers])
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


def _names(api: Api, ids: Iterable[str]) -> dict[str, str]:
    """Return the identifier that each customer id follows from, of those that are known."""
    asked = list(dict.fromkeys(ids))[:MOST_NAMED]
    if not asked:
        return {}
    profiles = api.post("/v1/profiles:batchGet", {"keys": asked})["profiles"]
    carried = {
        f"{one['type']}:{one['value']}"
        for profile in profiles.values()
        for one in profile["identifiers"]
    }
    known = {id_of(text): text for text in carried}
    return {id: known[id] for id in asked if id in known}


def _elsewhere(api: Api, customer: Json) -> dict[str, str]:
    """Return the identifiers that only came along and are another customer's, with whose."""
    carried = [
        f"{one['type']}:{one['value']}"
        for one in customer["identifiers"]
        if one["customer_id"] is None
    ][:MOST_NAMED]
    if not carried:
        return {}
    found = api.post("/v1/profiles:batchGet", {"keys": carried})["profiles"]
    whose = {text: profile["customer_id"] for text, profile in found.items()}
    return {text: id for text, id in whose.items() if id != customer["customer_id"]}


def _named(api: Api, who: str) -> str:
    """Return a name that the resolver can place: type:value if any is known, else the id."""
    if derive(who) is not None and not CUSTOMER_ID.fullmatch(who):
        return who
    id = who if CUSTOMER_ID.fullmatch(who) else api.customer(who)["customer_id"]
    return _names(api, [id]).get(id, id)


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


def _said(by: str, reason: str) -> dict[str, str]:
    return {"by": by or getpass.getuser(), "reason": reason}


def _command(
    settings: Settings, api: Api, kind: str, body: dict[str, str], wait: float, as_json: bool
) -> None:
    """Give a command, wait for what becomes of it, and say so; exit 1 when it was refused."""
    asked = _posted(settings, kind, body)
    with Terminal(stderr=True).status("waiting for the resolver") as status:
        outcome = api.get(asked["outcome"])
        end = time.monotonic() + wait
        while outcome["status"] in ("waiting", "refolding") and time.monotonic() < end:
            if outcome["status"] == "refolding":
                status.update("reading the log again for both sides")
            time.sleep(0.2)
            outcome = api.get(asked["outcome"])
    if as_json:
        typer.echo(json.dumps(asked | outcome, ensure_ascii=False))
    else:
        _tell(kind, asked, outcome)
    if outcome["status"] == "refused":
        raise typer.Exit(1)


def _posted(settings: Settings, kind: str, body: dict[str, str]) -> Json:
    base = f"http://{settings.host}:{settings.ingest_port}"
    headers = {
        "Authorization": f"Bearer {first_key(settings.admin_keys)}",
        "Idempotency-Key": uuid.uuid4().hex,
    }
    try:
        answer = httpx.post(f"{base}/v1/identity/{kind}", json=body, headers=headers, timeout=20)
    except httpx.HTTPError as error:
        raise UserError(
            f"ingest does not answer at {base}: {error}", "start it: c360 up"
        ) from error
    said: dict[str, Any] = answer.json()
    if not answer.is_success:
        raise UserError(
            f"ingest answered {answer.status_code}: {said['detail']}",
            "c360 keys shows this machine's key; C360_ADMIN_KEYS sets another",
        )
    return said


def _tell(kind: str, asked: Json, outcome: Json) -> None:
    roots = dict.fromkeys(one["customer_id"] for one in outcome["customers"])
    told = " and ".join(one or "nobody" for one in roots)
    match outcome["status"]:
        case "done":
            word = "one customer" if kind == "merge" else "a customer of its own"
            typer.secho(f"done: {word} now: {told}", fg="green")
        case "refused":
            typer.secho(f"refused: {outcome['detail']}", fg="red", err=True)
        case status:
            typer.secho(f"{status}: {asked['receipt']}; ask again: {asked['outcome']}", fg="yellow")
