"""`c360 profile ID`: one customer as the profile API tells it, for the terminal."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from infra.cli.api import asking
from infra.cli.context import settings_and_secrets
from infra.cli.profile_view import considered, view
from infra.cli.terminal import Terminal
from infra.errors import UserError


def command(
    key: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="customer id, type:value, or what a search would find alone"
        ),
    ],
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="TIME", help="as it stood at this ISO 8601 time, by all known now"
        ),
    ] = None,
    known_at: Annotated[
        str | None,
        typer.Option(
            "--known-at", metavar="TIME", help="by what was known, and who was held for whom, then"
        ),
    ] = None,
    reasons: Annotated[
        bool, typer.Option("--reasons", help="all of a score's reasons, as they add up")
    ] = False,
    offers: Annotated[
        bool, typer.Option("--offers", help="what would be offered now; if not, why not")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print the API's answer")] = False,
) -> None:
    """Show one customer: who, risk with reasons, offer, value, timeline; live, or as of a time."""
    times = {"at": at, "known_at": known_at}
    if offers and (at or known_at):
        raise UserError(
            "what would be offered is told as of now alone", "leave out --at, --known-at"
        )
    with asking(settings_and_secrets()) as api:
        found = api.customer(
            key,
            "/offers" if offers else "",
            **{name: time for name, time in times.items() if time is not None},
        )
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        Terminal().print(considered(found) if offers else view(found, reasons))
