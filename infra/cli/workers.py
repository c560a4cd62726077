"""`c360 workers [N]`: who shares the work, and how many are to."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer
from rich.table import Table

from infra.cli.context import settings
from infra.cli.terminal import Terminal
from infra.errors import UserError
from infra.group import Member, members, worker_group
from infra.local import home, stack
from infra.local.home import PartState
from infra.local.running import State
from infra.settings import Settings
from models import topics
from projections.live_lag import READS

WAIT_SECONDS = 180.0


def command(
    count: Annotated[
        int | None, typer.Argument(min=1, max=64, help="how many; without it, only show them")
    ] = None,
) -> None:
    """Show the workers with their partitions and lag, or change how many there are.

    Adding and removing goes on under load: only the partitions that must move are moved.
    """
    chosen = settings()
    console = Terminal()
    if count is not None:
        resize(chosen, count)
    console.print(table(told(chosen)))
    if count is not None and count != chosen.workers:
        console.print(
            f"until `c360 up` ends; the next one starts {chosen.workers}: "
            f"`c360 up --workers {count}`, or C360_WORKERS, starts {count}"
        )


def resize(chosen: Settings, count: int) -> None:
    """Have the running `c360 up` start or stop workers, and wait until it has."""
    if not _workers(chosen):
        raise UserError(
            f"no `c360 up` with a worker is running on {chosen.home}",
            "start it: `c360 up --workers N`",
        )
    stack.require_work(chosen, count)
    home.resize(chosen.home, count)
    end = time.monotonic() + WAIT_SECONDS
    while not _settled(chosen, count):
        if not _workers(chosen):
            raise UserError("`c360 up` has ended meanwhile", "what it printed last says why")
        if time.monotonic() > end:
            raise UserError(
                f"not {count} workers after {WAIT_SECONDS:.0f} s", "`c360 status` tells more"
            )
        time.sleep(0.2)


def _workers(chosen: Settings) -> list[PartState]:
    running = home.published(chosen.home)
    return [part for part in running if part.name.partition("-")[0] == "worker"]


def _settled(chosen: Settings, count: int) -> bool:
    workers = _workers(chosen)
    return len(workers) == count and all(part.state == State.READY for part in workers)


def told(chosen: Settings, request_ms: int = 3_000) -> list[dict[str, Any]] | None:
    """Return each worker of the group, on whichever machine; None when no broker answers."""
    try:
        found = members(chosen, worker_group(chosen), request_ms)
    except UserError:
        return None
    return [_row(chosen, member) for member in found]


def _row(chosen: Settings, member: Member) -> dict[str, Any]:
    """Return a worker JSON-ready: its partitions of each step's topic."""
    steps = {
        step: [number for name, number in member.places if name == chosen.topic(topic)]
        for step, topic in READS.items()
    }
    return {
        "instance": member.instance,
        "host": member.host,
        "partitions": steps,
        "lag": member.lag,
    }


def table(workers: list[dict[str, Any]] | None) -> Table:
    """Lay out the workers; the steps that are keyed by customer share their partitions."""
    shown = Table(box=None, header_style="bold", pad_edge=False, title="workers")
    shown.title_justify, shown.title_style = "left", "bold"
    if workers is None:
        shown.add_column("[red]Kafka does not answer[/]; `c360 doctor` tells more")
        return shown
    own = [step for step, topic in READS.items() if topic.partitions is not None]
    for name in ("name", "on", "partitions", *own, "behind"):
        shown.add_column(name)
    everybody = next(step for step, topic in READS.items() if topic is topics.EVENTS)
    for worker in workers:
        has = worker["partitions"]
        shown.add_row(
            worker["instance"],
            worker["host"],
            ranges(has[everybody]),
            *(ranges(has[step]) for step in own),
            "–" if worker["lag"] is None else f"{worker['lag']:,}",
        )
    return shown


def ranges(numbers: list[int]) -> str:
    """Write numbers in ascending order as ranges: 0-3, 7."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ", ".join("-".join(map(str, run)) for run in runs)
