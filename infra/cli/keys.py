"""`c360 keys`: the keys that may send events, read profiles, merge and unmerge customers."""

from __future__ import annotations

import json
import shlex
from enum import StrEnum
from typing import Annotated

import typer

from infra import secrets
from infra.cli.context import settings, settings_and_secrets
from infra.local import home

app = typer.Typer(add_completion=False, help="Keys: show this machine's, or make up another.")


class Scope(StrEnum):
    """What a key opens."""

    INGEST = "ingest"
    READ = "read"
    ADMIN = "admin"


@app.callback(invoke_without_command=True)
def show(
    context: typer.Context,
    env: Annotated[
        bool, typer.Option("--env", help="as shell variables, for eval; analyst password too")
    ] = False,
) -> None:
    """Show the first key of each scope."""
    if context.invoked_subcommand:
        return
    known = settings_and_secrets()
    found = {
        "WRITE_KEY": secrets.first_key(known.write_keys),
        "API_KEY": secrets.first_key(known.api_keys),
        "ADMIN_KEY": secrets.first_key(known.admin_keys),
        "ANALYST_PASSWORD": known.analyst_password.get_secret_value(),
    }
    for name, value in found.items():
        # Not C360_*: those are settings, and these would be unknown ones.
        typer.echo(f"export {name}={shlex.quote(value)}" if env else f"{name} {value}")


@app.command()
def create(
    scope: Annotated[
        Scope,
        typer.Option(
            help="ingest: may send events; read: may read profiles; admin: may merge and unmerge"
        ),
    ],
    name: Annotated[str, typer.Option(help="who will use it")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Make up a key. A running `c360 up` takes it over within seconds."""
    chosen = settings()
    name, key = secrets.create_key(chosen, scope.value, name)
    taken_over = home.reload(chosen.home)
    if as_json:
        typer.echo(json.dumps({"scope": scope.value, "name": name, "key": key}))
        return
    typer.echo(key)
    if not taken_over:
        typer.secho("it is valid from the next `c360 up` on", err=True, dim=True)
