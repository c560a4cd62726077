"""`c360 models fit`: fit the population's parameters now, beside the scheduled job."""

from __future__ import annotations

import asyncio
import getpass
import time
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from infra.cli.context import settings_and_secrets
from infra.cli.terminal import Terminal
from infra.cli.verify import said_plainly
from infra.errors import UserError
from infra.fit import append
from infra.fit.job import fit
from infra.fit.population import Fitted
from models.fitting import CannotFitError
from models.population import DEFAULT, Population


def command(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="print what was found, append nothing")
    ] = False,
    anew: Annotated[
        bool,
        typer.Option("--anew", help="also what models have learnt with: their features move"),
    ] = False,
    reason: Annotated[
        str, typer.Option(help="why, for the model's history")
    ] = "asked for at the terminal",
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Fit lifetimes, contracts, spend and RFM's fifths to a sample of the customers.

    What is found is appended to the model log; scorers use it as soon as its learner has it.
    Parameters that a model has learnt 1,000 examples with stay as they are.
    """
    chosen = settings_and_secrets()
    with said_plainly(chosen):
        try:
            found = asyncio.run(fit(chosen, time.time_ns() // 1_000_000, anew))
        except CannotFitError as error:
            raise UserError(
                f"nothing can be fitted yet: {error}", "the parameters in use stay"
            ) from error
        if not dry_run:
            append.append(chosen, append.command(found.population, getpass.getuser(), reason))
    if as_json:
        told = {"population": found.population, "kept": found.lacks, "held": found.held}
        typer.echo(msgspec.json.encode(told).decode())
        return
    show(found, Terminal())
    typer.echo("nothing was appended" if dry_run else "appended to the model log")


def show(found: Fitted, console: Console) -> None:
    """Print the parameters beside those that come with us, and what could not be fitted."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("", "fitted", "as it comes"):
        table.add_column(name)
    ours, theirs = _rows(DEFAULT), _rows(found.population)
    for name, value in theirs.items():
        table.add_row(name, value, ours.get(name, "–"))
    console.print(table)
    for part, why in found.lacks.items():
        console.print(f"[yellow]{part}[/]: as it comes, since {why}", highlight=False)
    for part, why in found.held.items():
        console.print(f"[yellow]{part}[/]: as before, since {why}", highlight=False)
    console.print(f"{found.population.customers:,} customers", highlight=False)


def _rows(population: Population) -> dict[str, str]:
    parts = {
        "contacts": population.contacts,
        "purchases": population.purchases,
        "contracts": population.contracts,
        **{f"spend in {code}": one for code, one in population.spend.items()},
    }
    rows = {
        name: "  ".join(f"{key} {value:.4g}" for key, value in msgspec.structs.asdict(one).items())
        for name, one in parts.items()
    }
    cuts = population.cuts
    fifths = {"recency": cuts.recency, "frequency": cuts.frequency} | {
        f"money in {code}": borders for code, borders in cuts.money.items()
    }
    return rows | {name: " | ".join(f"{at:,.4g}" for at in one) for name, one in fifths.items()}
