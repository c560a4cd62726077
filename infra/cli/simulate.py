"""`c360 simulate`: a believable world of customers that sends events to ingest."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import nullcontext
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from infra.cli.context import settings_and_secrets
from infra.cli.terminal import Terminal
from infra.secrets import first_key
from infra.settings import Settings
from infra.simulator.offers import Offers
from infra.simulator.run import Plan, Progress, Simulation
from infra.simulator.send import Sender
from models.topics import DECISIONS

LINE_SECONDS = 5.0  # between two lines where there is no terminal


def command(
    customers: Annotated[int, typer.Option(min=1, help="how many customers there are")] = 500,
    rate: Annotated[float, typer.Option(min=0.1, help="events a second, after the past")] = 20.0,
    for_: Annotated[
        float | None, typer.Option("--for", help="seconds of the present; else until stopped")
    ] = None,
    seed: Annotated[int, typer.Option(help="the same seed, the same world")] = 7,
    history: Annotated[int, typer.Option(min=0, help="days of the past to send first")] = 180,
    url: Annotated[str, typer.Option(help="where ingest is; this machine's otherwise")] = "",
    offers: Annotated[bool, typer.Option(help="let customers answer the offers decided on")] = True,
) -> None:
    """Simulate telecom and retail customers: their past first, then the present.

    They browse, sign up, buy, call, complain, get messages and offers, and some leave
    for good. In the present a part of them comes time and again, and newcomers do. A few
    events come twice, late or broken. Started again on the same C360_HOME it goes on
    with the same customers. Ctrl-C stops it.
    """
    settings = settings_and_secrets()
    plan = Plan(seed=seed, customers=customers, days=history, rate=rate, seconds=for_)
    asyncio.run(_simulate(plan, settings, url, offers=offers))


async def _simulate(plan: Plan, settings: Settings, url: str, *, offers: bool) -> None:
    url = url or f"http://{settings.host}:{settings.ingest_port}"
    followed = Offers(settings.brokers, settings.topic(DECISIONS)) if offers else None
    console = Terminal(stderr=True)
    with Live(console=console) if console.is_terminal else nullcontext() as live:
        async with Sender(url, first_key(settings.write_keys)) as sender:
            view = _View(console, live)
            run = Simulation(plan, settings.home / "simulator.json", sender, followed, view.show)
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, run.stop)
            if followed is not None:
                await followed.start()
            try:
                last = await run.run()
            finally:
                if followed is not None:
                    await followed.stop()
    console.print(f"simulated: {_line(last)}", highlight=False)


class _View:
    """One line: redrawn on a terminal, else printed now and then."""

    def __init__(self, console: Console, live: Live | None) -> None:
        self._console = console
        self._live = live
        self._begun = self._printed = time.monotonic()

    def show(self, progress: Progress) -> None:
        now = time.monotonic()
        line = f"{_line(progress)}, {progress.sent / max(now - self._begun, 0.001):,.0f}/s"
        if self._live is not None:
            self._live.update(Text(line))
        elif now - self._printed >= LINE_SECONDS:
            self._printed = now
            self._console.print(line, highlight=False, markup=False)


def _line(progress: Progress) -> str:
    past = f"past {progress.share:.0%}, " if progress.share < 1 else ""
    faults = ", ".join(f"{count} {kind}" for kind, count in sorted(progress.faults.items()))
    waits = f", told to wait {progress.waits} times" if progress.waits else ""
    offers = f", {progress.offers} offers shown" if progress.offers else ""
    return f"{past}{progress.sent:,} events sent ({faults or 'no faults'}){offers}{waits}"
