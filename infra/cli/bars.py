"""The bar of what takes long: how far it is, and how long it will take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from infra.cli.terminal import Terminal

Tell = Callable[[int, int], None]  # records read, records there
Say = Callable[[str], Tell]  # what is being done, each a bar of its own


@contextmanager
def bars() -> Iterator[Say]:
    """Show a bar for each thing that is said to be done; all are gone at the end."""
    with Progress(
        TextColumn("{task.description:>10}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Terminal(stderr=True),
        transient=True,
    ) as progress:

        def say(doing: str) -> Tell:
            task = progress.add_task(doing, total=None)
            return lambda done, there: progress.update(task, completed=done, total=there)

        yield say
