"""`c360 up [PARTS…]`: start the parts, keep them running, stop them all on Ctrl-C."""

from __future__ import annotations

from typing import Annotated

import typer

from infra import secrets
from infra.cli.context import settings
from infra.cli.progress import Progress
from infra.cli.terminal import Terminal
from infra.local import home, stack
from infra.local.part import Part
from infra.local.supervisor import Supervisor
from infra.settings import DEMO_OFFERS_FILE, Settings

DEMO_GRACE = 15.0  # seconds: whoever fell silent in the simulated past is scored while one looks


def command(
    parts: Annotated[
        list[str] | None, typer.Argument(help=f"which: {', '.join(stack.CHOICES)}; else all")
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="with simulated customers, and a live table of them")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="how many; `c360 workers` changes it")
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option("--for", min=1, help="stop by itself after so many seconds of running"),
    ] = None,
) -> None:
    """Start customer360 on this machine; Ctrl-C stops it and keeps the data."""
    chosen = for_demo(settings()) if demo else settings()
    if workers is not None:
        chosen = chosen.model_copy(update={"workers": workers})
    stack.require_work(chosen, chosen.workers)
    known = secrets.resolve(chosen)
    console = Terminal()
    progress = Progress(console, known)

    def every(count: int = known.workers) -> list[Part]:
        sized = known.model_copy(update={"workers": count})
        return stack.build(sized, lambda: secrets.resolve(chosen), progress.say)

    def wanted() -> list[Part]:
        return stack.choose(every(home.wanted_workers(known.home)), tuple(parts or ()))

    if demo:
        from infra.cli.demo import Demo

        Demo(known, console, progress, seconds).run(every(), wanted)
        return
    running = stack.choose(every(), tuple(parts or ()))
    supervisor = Supervisor(known.home, running, progress.report, wanted)
    supervisor.catch_signals()
    with progress:
        supervisor.run(lambda: progress.tick(supervisor, seconds))


def for_demo(given: Settings) -> Settings:
    """Return the settings with the demo's patience and offers, unless others were asked for."""
    own = {"backfill_grace_seconds": DEMO_GRACE, "offers_file": DEMO_OFFERS_FILE}
    return given.model_copy(
        update={name: value for name, value in own.items() if name not in given.model_fields_set}
    )
