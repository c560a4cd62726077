"""`c360 rebuild clickhouse|profiles|identity|models`: what can be thrown away, made anew."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from clickhouse_connect.driver.exceptions import ClickHouseError
from rich.table import Table

from infra.cli.bars import bars
from infra.cli.context import settings_and_secrets
from infra.cli.terminal import Terminal
from infra.cli.verify import said_plainly, show, told
from infra.errors import UserError
from infra.rebuild import identity as identities
from infra.rebuild import models as learning
from infra.rebuild import profiles as folding
from infra.verify.run import verify
from projections.load import SchemaMismatchError
from projections.migrate import MigrationFailedError
from projections.rebuild import rebuild

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Make anew what follows from the log: beside the running system, compared, then swapped.",
)
Json = Annotated[bool, typer.Option("--json", help="print JSON")]
Swap = Annotated[
    bool,
    typer.Option("--swap", help="put it in place of the live one; the workers rest for a moment"),
]
Processes = Annotated[
    int | None, typer.Option(min=1, help="how many at once; else as many as there are cores")
]


@app.command()
def clickhouse(as_json: Json = False) -> None:
    """Build every ClickHouse table anew beside the running ones, exchange them, and verify.

    Everything else goes on meanwhile. Ledger rows older than their topic keeps are kept.
    """
    chosen = settings_and_secrets()
    try:
        with said_plainly(chosen), bars() as say:
            tables = rebuild(chosen, say("rebuild"))
            found = verify(chosen, ["clickhouse"], None, say)
    except (MigrationFailedError, SchemaMismatchError, ClickHouseError) as error:
        what = str(error).split("Stack trace", 1)[0][:500]
        raise UserError(what, "the running tables are as they were") from error
    if as_json:
        rows = [table._asdict() for table in tables]
        typer.echo(json.dumps({"tables": rows, "different": sum(one.different for one in found)}))
    else:
        shown = Table(box=None, header_style="bold", pad_edge=False)
        shown.add_column("table")
        for name in ("rows before", "rows now"):
            shown.add_column(name, justify="right")
        for table in tables:
            shown.add_row(table.table, f"{table.before:,}", f"{table.after:,}")
        Terminal().print(shown)
    if not all(one.ok for one in found):
        if not as_json:
            show(found, 0.0)
        raise typer.Exit(1)


@app.command()
def profiles(swap: Swap = False, processes: Processes = None, as_json: Json = False) -> None:
    """Fold the log anew and compare every customer with the live profiles.

    Exit code 1 when they differ, but for --swap, which writes what the log gives. What was
    predicted stays as it was, and no alert is ever sent from here.
    """
    chosen = settings_and_secrets()
    with said_plainly(chosen):
        with bars() as say:
            rebuilt = folding.fold_anew(chosen, processes, say("profiles"))
        if swap:
            rebuilt = folding.swap(chosen, rebuilt, _say)
    if as_json:
        typer.echo(json.dumps(told(rebuilt.checks, 0.0) | {"written": rebuilt.written}))
    else:
        show(rebuilt.checks, 0.0)
        if swap:
            typer.echo(f"written: {rebuilt.written:,} customers")
    if not swap and not all(check.ok for check in rebuilt.checks):
        raise typer.Exit(1)


@app.command()
def identity(
    swap: Swap = False,
    regroup: Annotated[
        bool, typer.Option("--regroup", help="state on the log who is to be grouped otherwise")
    ] = False,
    as_json: Json = False,
) -> None:
    """Fold all links anew by today's rules and compare with what the resolver keeps.

    Exit code 1 when they differ, but for --swap and --regroup. Who would be grouped otherwise
    is named; --swap refuses then, for the customers must be told: --regroup does, on the log.
    """
    chosen = settings_and_secrets()
    with said_plainly(chosen):
        with bars() as say:
            rebuilt = identities.fold_anew(chosen, say("identity"))
        if regroup:
            rebuilt = identities.regroup(chosen, rebuilt)
        elif swap:
            rebuilt = identities.swap(chosen, rebuilt, _say)
    differs = bool(rebuilt.changes) and not (swap or regroup)
    if as_json:
        regrouped = {id: list(roots) for id, roots in rebuilt.regrouped.items()}
        said = {"customers": rebuilt.customers, "different": len(rebuilt.changes)}
        typer.echo(json.dumps(said | {"regrouped": regrouped, "written": rebuilt.written}))
    else:
        typer.echo(f"customers by the links  {rebuilt.customers:,}")
        typer.echo(f"kept otherwise          {len(rebuilt.changes):,}")
        typer.echo(f"grouped otherwise       {len(rebuilt.regrouped):,}")
        for id, (ours, theirs) in list(rebuilt.regrouped.items())[:20]:
            typer.echo(f"  {id}: is {theirs}, by the links {ours}")
        if swap or regroup:
            what = "stated on the log      " if regroup else "written                "
            typer.echo(f"{what} {rebuilt.written:,}")
    if differs:
        raise typer.Exit(1)


@app.command()
def models(
    swap: Swap = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="swap even where examples learnt from are gone")
    ] = False,
    as_json: Json = False,
) -> None:
    """Learn the kept examples anew, in log order, and compare with the newest snapshots.

    Exit code 1 when one differs, but for --swap. Examples are kept for 90 days: what was learnt
    from older ones cannot be learnt again.
    """
    chosen = settings_and_secrets()
    with said_plainly(chosen):
        if swap:
            found = learning.swap(chosen, _say, forget=forget)
        else:
            with bars() as say:
                found = learning.learn_anew(chosen, say("models"))
    if as_json:
        hidden = [
            {**one._asdict(), "value": len(one.value), "kept": len(one.kept)} for one in found
        ]
        typer.echo(json.dumps(hidden))
    else:
        _show_models(found)
    if not swap and not all(one.equal for one in found):
        raise typer.Exit(1)


def _show_models(found: list[learning.Relearnt]) -> None:
    shown = Table(box=None, header_style="bold", pad_edge=False)
    shown.add_column("model")
    for name in ("learnt live", "learnt anew", "not learnt yet", "gone", "same bytes"):
        shown.add_column(name, justify="right")
    shown.add_column("predictions differ by")
    for one in found:
        shown.add_row(
            one.model,
            *(f"{count:,}" for count in (one.version, one.learnt, one.ahead, one.forgotten)),
            "yes" if one.equal else "[red]no[/]",
            "–" if one.largest is None else f"{one.largest:.3g} at most",
        )
    console = Terminal()
    console.print(shown)
    for one in found:
        if one.forgotten:
            console.print(
                f"{one.model}: the topic begins at offset {one.forgotten:,}; what was learnt "
                "before is out of reach",
                highlight=False,
            )
        if one.written:
            console.print(f"{one.model}: published as the newest snapshot")


def _say(what: str) -> None:
    typer.echo(what, err=True)
