"""`c360 topics`: the topics of this deployment, created when asked."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.table import Table

from infra import admin
from infra.cli.context import settings
from infra.cli.terminal import Terminal


def command(
    create: Annotated[bool, typer.Option("--create", help="create the missing ones first")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Show each topic: partitions, messages, how long they are kept.

    Exit code 1 when one is missing or has another number of partitions than the settings say.
    """
    chosen = settings()
    if create:
        admin.create_topics(chosen)
    states = admin.describe(chosen)
    if as_json:
        typer.echo(json.dumps([state._asdict() | {"ok": state.ok} for state in states]))
    else:
        _show(states)
    if not all(state.ok for state in states):
        raise typer.Exit(1)


def _show(states: list[admin.TopicState]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("topic", "partitions", "messages", "key", "kept"):
        table.add_column(name, justify="right" if name in ("partitions", "messages") else "left")
    for state in states:
        messages = f"{state.messages:,}" if state.partitions else "[red]missing[/]"
        count = f"{state.partitions}"
        if state.partitions and not state.ok:
            count = f"[red]{count}, not {state.wanted}[/]"
        table.add_row(state.topic, count, messages, state.key, state.kept)
    Terminal().print(table)
    if any(not state.partitions for state in states):
        typer.echo("\n`c360 topics --create` creates the missing ones; so does `c360 up`", err=True)
