"""What `c360 models evaluate-file` shows: how far it is, the figures, what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from infra.evaluation.page import FIGURES, ordered, shown

STEP = 256  # rows between two looks of the bar
SHOWN = 10


@contextmanager
def bar(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """Show how far it is; yields what moves the bar: (what, done, of how much; 0 unknown)."""
    columns = (
        TextColumn("{task.description:>24}"),
        BarColumn(),
        TextColumn("{task.completed:,}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("reading", total=None)
        doing = "reading"

        def move(what: str, done: int, total: int) -> None:
            nonlocal doing
            if what != doing:
                doing = what
                progress.reset(task, description=what, total=total or None)
            if total <= STEP or not done % STEP:
                progress.update(task, completed=done, total=total or None)

        yield move


def show(console: Console, result: dict[str, Any]) -> None:
    """Print a report."""
    console.print(result["file"], style="bold", markup=False, highlight=False)
    for note in result["notes"]:
        console.print(f"  {note}", style="dim", markup=False, highlight=False, soft_wrap=True)
    for part in ("whole", "tested"):
        console.print(_table(result, part))
    for line in result["trouble"]["told"][:SHOWN]:
        console.print(f"  {line}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    more = sum(result["trouble"][key] for key in ("rows_left_out", "cells_emptied")) - SHOWN
    if more > 0:
        console.print(f"  … and {more:,} more", style="yellow")
    for sentence in result["verdict"]:
        console.print(f"  {sentence}", markup=False, highlight=False, soft_wrap=True)


def _table(result: dict[str, Any], part: str) -> Table:
    figures = FIGURES[result["kind"]]
    title = "all rows" if part == "whole" else f"rows from {result['tested_from'] + 1:,} on"
    table = Table(title=title, title_justify="left")
    table.add_column("", no_wrap=True)
    for name in figures:
        table.add_column(name.replace("_", " "), justify="right")
    for name, values in ordered(result[part]):
        style = "bold" if name == "champion" else ""
        table.add_row(name, *(shown(values.get(one)) for one in figures), style=style)
    return table
