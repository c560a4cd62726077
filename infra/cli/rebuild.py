"""`c360 rebuild clickhouse|profiles`: what can be thrown away, made anew from the log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from clickhouse_connect.driver.exceptions import Error
from kafka.errors import KafkaError
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from infra import refold
from infra.admin import unreachable
from infra.cli.context import settings_and_secrets
from infra.errors import UserError
from projections.load import SchemaMismatchError
from projections.migrate import MigrationFailedError
from projections.rebuild import Tell, rebuild

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Make read models anew from the log."
)
Json = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command()
def clickhouse(as_json: Json = False) -> None:
    """Build every ClickHouse table anew beside the running ones, then exchange them.

    Everything else goes on meanwhile. Ledger rows older than their topic keeps are kept.
    """
    chosen = settings_and_secrets()
    try:
        with _progress("rebuilding") as tell:
            tables = rebuild(chosen, tell)
    except (MigrationFailedError, SchemaMismatchError, Error) as error:
        what = str(error).split("Stack trace", 1)[0][:500]
        raise UserError(what, "the running tables are as they were") from error
    except KafkaError as error:
        raise unreachable(chosen, error) from error
    if as_json:
        typer.echo(json.dumps([table._asdict() for table in tables]))
        return
    shown = Table(box=None, header_style="bold", pad_edge=False)
    shown.add_column("table")
    for name in ("rows before", "rows now"):
        shown.add_column(name, justify="right")
    for table in tables:
        shown.add_row(table.table, f"{table.before:,}", f"{table.after:,}")
    Console().print(shown)


@app.command()
def profiles(
    mend: Annotated[
        bool, typer.Option("--mend", help="write what the log gives over each difference")
    ] = False,
    as_json: Json = False,
) -> None:
    """Fold the log anew and compare every customer with the live profiles.

    Exit code 1 when they differ. --mend needs the worker to be stopped; no alert is
    ever sent from here.
    """
    chosen = settings_and_secrets()
    if mend and refold.running(chosen):
        raise UserError("a worker is running", "stop it first: it alone may write profiles")
    try:
        with _progress("folding the log") as tell:
            comparison = refold.compare(chosen, tell)
        mended = refold.mend(chosen, comparison) if mend else 0
    except KafkaError as error:
        raise unreachable(chosen, error) from error
    except ValueError as error:
        raise UserError(f"the log holds what is no event: {str(error)[:300]}") from error
    _report(comparison, mended, as_json=as_json)
    if not comparison.equal and not mended:
        raise typer.Exit(1)


def _report(comparison: refold.Comparison, mended: int, *, as_json: bool) -> None:
    different = [one.customer_id for one in comparison.differences]
    if as_json:
        told = comparison._asdict() | {"differences": different, "mended": mended}
        typer.echo(json.dumps(told))
        return
    typer.echo(f"customers by the log   {comparison.customers:,}")
    typer.echo(f"compared               {comparison.compared:,}")
    typer.echo(f"hash of the live ones  {comparison.hash_live}")
    typer.echo(f"hash by the log        {comparison.hash_folded}")
    if comparison.equal:
        typer.echo("equal: the live profiles are what the log gives")
        return
    typer.echo(f"different              {len(different):,}: {', '.join(different[:10])}")
    if mended:
        typer.echo(f"mended                 {mended:,}; now run `c360 rebuild clickhouse`")
    else:
        typer.echo("`c360 rebuild profiles --mend`, with the worker stopped, mends them")


@contextmanager
def _progress(doing: str) -> Iterator[Tell]:
    with Progress(
        TextColumn(doing),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task(doing, total=None)
        yield lambda done, there: bar.update(task, completed=done, total=there)
