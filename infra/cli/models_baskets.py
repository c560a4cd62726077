"""`c360 models evaluate-baskets FILE`: what goes with what in anybody's orders, prequentially."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table as Shown

from infra.cli.terminal import Terminal
from infra.errors import UserError
from infra.evaluation.moments import Clock
from infra.evaluation.table import Cell, Line, Table
from models.online.prequential_baskets import GUESSES, Basket, evaluate


def command(
    path: Annotated[Path, typer.Argument(help="JSON Lines, CSV or Parquet; .gz too")],
    product: Annotated[str, typer.Option(help="column of the product, or of all of an order's")],
    basket: Annotated[
        str | None, typer.Option(help="column of the order's id, where a row is one product")
    ] = None,
    separator: Annotated[
        str | None, typer.Option(help="between products, where a row is a whole order")
    ] = None,
    customer: Annotated[str | None, typer.Option(help="column of who bought")] = None,
    time: Annotated[
        str | None, typer.Option(help="column of the time; without it rows stand in order")
    ] = None,
    time_format: Annotated[
        str | None, typer.Option(help="how times are written, as strptime has it")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the result as JSON")] = False,
) -> None:
    """Guess a product of each order before it is learnt, as the model `affinity` would."""
    if (basket is None) == (separator is None):
        raise UserError(
            "a row is one product of an order, or a whole order",
            "Say which: --basket names the column of the order's id, --separator splits a cell.",
        )
    named = {"product": product, "basket": basket, "customer": customer, "time": time}
    baskets, unusable = _baskets(Table(path), named, separator, Clock(time_format))
    if not baskets:
        raise UserError(f"{path}: no row that can be used", "Look at the columns' names.")
    result = evaluate(baskets, len(baskets)) | {"unusable_rows": unusable}
    if as_json:
        typer.echo(orjson.dumps(result).decode())
    else:
        _show(Terminal(), result)


def _baskets(
    table: Table, named: dict[str, str | None], separator: str | None, clock: Clock
) -> tuple[list[Basket], int]:
    """Return the orders in the order of their times, and how many rows could not be used."""
    found: dict[str, tuple[float, int, str | None, list[str]]] = {}
    unusable = 0
    for line in table:
        if not line.fault:
            _check(line, named)
        products = _products(line.cells.get(named["product"] or ""), separator)
        id = str(line.number) if separator else _text(line, named["basket"])
        at = clock.read(line.cells.get(named["time"])) if named["time"] else 0.0
        if not products or id is None or at is None:
            unusable += 1
            continue
        one = found.setdefault(id, (at, len(found), _text(line, named["customer"]), []))
        one[3].extend(products)
    return [
        Basket(one[3], one[2]) for one in sorted(found.values(), key=lambda one: one[:2])
    ], unusable


def _check(line: Line, named: dict[str, str | None]) -> None:
    missing = [name for name in named.values() if name is not None and name not in line.cells]
    if missing:
        there = ", ".join(line.cells)
        raise UserError(f"no column {', '.join(missing)}", f"There are: {there}.")


def _products(cell: Cell, separator: str | None) -> list[str]:
    if cell is None:
        return []
    parts = [str(cell)] if separator is None else str(cell).split(separator)
    return [part.strip() for part in parts if part.strip()]


def _text(line: Line, name: str | None) -> str | None:
    cell = None if name is None else line.cells.get(name)
    return None if cell is None else str(cell)


def _show(console: Console, result: dict[str, Any]) -> None:
    rows, products = result["baskets"], result["products"]
    console.print(f"orders that pair something {rows:,}, products {products:,}")
    if result["unusable_rows"]:
        console.print(f"[yellow]rows that cannot be used: {result['unusable_rows']:,}")
    if result["tried"]:
        low, high = result["lead_interval"]
        console.print(
            f"a product held out of {result['tried']:,} orders of the second half was among "
            f"{GUESSES} guesses: {result['hit_rate']:.1%}; among the best sellers: "
            f"{result['hit_rate_popular']:.1%}; "
            f"lead {result['lead']:+.1%} ({low:+.1%} to {high:+.1%})"
        )
    shown = Shown("products", "orders", "lift", "one given the other", "and back", box=None)
    for pair in result["pairs"]:
        shown.add_row(
            " + ".join(pair["products"]),
            f"{pair['baskets']:,.0f}",
            f"{pair['lift']:.2f}",
            f"{pair['confidence']:.0%}",
            f"{pair['confidence_back']:.0%}",
        )
    console.print(shown)
