"""What `c360 ingest` shows: a bar with rate and time left, rejected rows, the result."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from infra.files.drafts import Draft
from infra.files.importer import Report
from models.watermark import ALLOWANCE_MS

# What is out of its order by no more is learnt as if it were in it.
ENOUGH: Final = timedelta(milliseconds=ALLOWANCE_MS)
SHOWN = 10  # rejected rows named in the terminal; --reject-file gets all


@contextmanager
def bar(console: Console, what: str, extent: int) -> Iterator[Callable[[int, int], None]]:
    """Show how far it is; yields what moves the bar: (done of extent, events so far)."""
    columns = (
        TextColumn("{task.description:>9}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[events]:,} events"),
        TextColumn("{task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(what, total=extent, events=0, rate=0.0)

        def move(done: int, events: int) -> None:
            rate = events / max(progress.tasks[task].elapsed or 0.0, 0.001)
            progress.update(task, completed=done, events=events, rate=rate)

        yield move
        progress.update(task, completed=extent)  # the last rows are fewer than a step


class Refusals:
    """The rejected rows: a file's first few for the terminal, all of all for `--reject-file`."""

    def __init__(self, file: Path | None) -> None:
        self.first: list[str] = []
        self._file = file
        self._source = ""
        self._out: TextIO | None = None

    def __enter__(self) -> Self:
        if self._file is not None:
            self._out = self._file.open("w", encoding="utf-8")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._out is not None:
            self._out.close()

    def begin(self, source: Path) -> None:
        """Go on to another file's rows."""
        self._source, self.first = str(source), []

    def add(self, draft: Draft) -> None:
        """Note one rejected row."""
        rejected = draft.rejected
        assert rejected is not None
        if len(self.first) < SHOWN:
            self.first.append(f"line {draft.row.number}: {rejected}")
        if self._out is not None:
            line = {
                "file": self._source,
                "line": draft.row.number,
                "reason": rejected.reason.value,
                "where": rejected.where,
                "detail": rejected.detail,
                "raw": draft.row.raw.decode("utf-8", "backslashreplace"),
            }
            self._out.write(json.dumps(line, ensure_ascii=False) + "\n")


def warn_late(console: Console, path: Path, report: Report) -> None:
    """Say that a file is not in the order of time, what of it, and what to do."""
    rows = "row is" if report.late == 1 else "rows are"
    console.print(
        f"{path}: {report.late:,} {rows} older than one before, "
        f"the first in line {report.first_late:,}, by up to {_span(report.late_by)}.",
        style="yellow",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    said = (
        "That is less than models need to learn a past in its order: nothing to do."
        if report.late_by <= ENOUGH
        else "No profile goes by the order, but models learn a past in it: --sort sends it by time."
    )
    console.print(f"  {said}", soft_wrap=True, highlight=False)


def _span(time: timedelta) -> str:
    for name, seconds in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if time.total_seconds() >= 2 * seconds:
            return f"{time.total_seconds() / seconds:,.0f} {name}"
    return f"{time.total_seconds():,.3g} seconds"


def tell(console: Console, result: dict[str, object], refused: Sequence[str]) -> None:
    """Print one file's result and its first rejected rows."""
    console.print(result["file"], style="bold", markup=False, highlight=False, soft_wrap=True)
    table = Table(show_header=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    for name in ("rows", "accepted", "rejected", "sent", "sent_before"):
        if name in result:
            table.add_row(name.replace("_", " "), f"{result[name]:,}")
    table.add_row("from", str(result["earliest"]))
    table.add_row("until", str(result["latest"]))
    console.print(table)
    for line in refused:
        console.print(f"  {line}", style="yellow", markup=False, highlight=False)
    assert isinstance(result["rejected"], int)
    if result["rejected"] > len(refused):
        console.print(f"  … and {result['rejected'] - len(refused):,} more")
