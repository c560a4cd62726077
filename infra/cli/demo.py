"""`c360 up --demo`: everything on this machine, with simulated customers to look at.

On a terminal a live table; elsewhere a line every few seconds. With a time limit it
ends by itself, and its last line is one JSON object of what it came to.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

from rich.console import Console
from rich.live import Live
from rich.text import Text

from infra.cli import figures
from infra.cli.board import board, line
from infra.cli.progress import Progress
from infra.cli.watch import Watch
from infra.local.part import Part
from infra.local.running import Running, State
from infra.local.stack import environment
from infra.local.supervisor import Supervisor
from infra.secrets import first_key
from infra.settings import Settings

LINE_SECONDS = 5.0
SETTLE_SECONDS = 60.0  # at most, for what is under way to reach ClickHouse


class Demo:
    """One run of the demo."""

    def __init__(
        self, settings: Settings, console: Console, progress: Progress, seconds: float | None
    ) -> None:
        self._settings = settings
        self._console = console
        self._progress = progress
        self._seconds = seconds
        self._watch = Watch(settings)
        self._live: Live | None = None
        self._ready_at: float | None = None
        self._printed = 0.0
        self._events_before = 0
        self._result: figures.Json | None = None

    def run(self, parts: list[Part], wanted: Callable[[], list[Part]]) -> None:
        """Run until Ctrl-C, or until the time is over. Raises UserError."""
        customers = simulator(self._settings)
        supervisor = Supervisor(
            self._settings.home,
            [*parts, customers],
            self._report,
            lambda: [*wanted(), customers],
        )
        supervisor.catch_signals()
        self._progress.__enter__()
        try:
            supervisor.run(lambda: self._tick(supervisor))
        finally:
            self._end_live()
            self._progress.__exit__(None, None, None)
        if self._result is not None:
            sys.stdout.write(json.dumps(self._result) + "\n")

    def _report(self, running: Running) -> None:
        if running.state is State.STOPPED:
            self._end_live()  # the table stays as it was last; what stops is told below it
        self._progress.report(running)

    def _tick(self, supervisor: Supervisor) -> None:
        if self._ready_at is None:
            self._progress.tick(supervisor)
            if supervisor.ready:
                self._begin()
            return
        now = time.monotonic()
        self._draw(now)
        if self._seconds is not None and now - self._ready_at >= self._seconds:
            self._finish(supervisor)

    def _begin(self) -> None:
        self._ready_at = time.monotonic()
        self._progress.__exit__(None, None, None)
        self._console.print(self._where())
        self._watch.start()
        if self._console.is_terminal:
            self._live = Live(console=self._console, auto_refresh=False)
            self._live.start()
        stats = figures.Api(self._settings).stats()
        self._events_before = stats["events"] if stats else 0

    def _draw(self, now: float) -> None:
        every = 0.5 if self._live else LINE_SECONDS
        if now - self._printed < every:
            return
        self._printed = now
        if self._live:
            self._live.update(board(self._watch.stats, self._watch.customers, self._foot(now)))
            self._live.refresh()
        elif self._watch.stats:
            self._console.print(line(self._watch.stats), highlight=False, soft_wrap=True)

    def _finish(self, supervisor: Supervisor) -> None:
        """Let the simulator end, wait until all of it is in ClickHouse, keep the figures."""
        running = time.monotonic() - (self._ready_at or 0.0)
        during = self._watch.stats or {}
        supervisor.parts["simulator"].stop()
        end = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < end and figures.backlog(self._settings):
            time.sleep(0.5)
        after = figures.Api(self._settings).stats() or during
        fresh = during.get("freshness") or {}
        events = after.get("events", 0)
        self._result = {
            "events": events,
            "profiles": after.get("customers", 0),
            "scored": after.get("scored", 0),
            **figures.clickhouse_totals(self._settings),
            "dead_letters": after.get("dead_letters") or 0,
            "events_per_second": round((events - self._events_before) / running, 1),
            "freshness_p50_ms": fresh.get("p50_ms"),
            "freshness_p99_ms": fresh.get("p99_ms"),
        }
        supervisor.stop_soon()

    def _end_live(self) -> None:
        self._watch.stop()
        if self._live:
            self._live.stop()
            self._live = None

    def _where(self) -> Text:
        key = first_key(self._settings.api_keys)
        return Text(f"the API key of this demo, for the console too: {key}\n", style="bold")

    def _foot(self, now: float) -> Text:
        chosen = self._settings
        minutes, seconds = divmod(int(now - (self._ready_at or now)), 60)
        return Text(
            f"\nconsole http://{chosen.host}:{chosen.serve_port}   "
            f"key {first_key(chosen.api_keys)}\n"
            f"running for {minutes}:{seconds:02d}, Ctrl-C stops it",
            style="dim",
        )


def simulator(settings: Settings) -> Part:
    """Return the part that plays the customers."""
    return Part(
        name="simulator",
        launch=lambda: [sys.executable, "-m", "infra.cli", "simulate"],
        environ=lambda: environment(settings),
        needs=("ingest", "worker", "serve"),
        steady_seconds=1.0,
    )
