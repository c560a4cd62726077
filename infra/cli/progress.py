"""What `c360 up` says while it works: a line for each part, then where everything is.

On a terminal a spinner tells what is being waited for; elsewhere there are the lines.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status

from infra.local.part import Part
from infra.local.running import Running, State
from infra.local.supervisor import Supervisor
from infra.settings import Settings

_WIDTH = 11


class Progress:
    """Tells of a supervisor's parts on a console."""

    def __init__(self, console: Console, settings: Settings) -> None:
        self._console = console
        self._settings = settings
        self._status: Status | None = None
        self._ready_at: float | None = None
        self._begun = time.monotonic()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._status = self._console.status("starting")
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()
        self._status = None

    def say(self, text: str) -> None:
        """Print one line about what takes a while."""
        self._console.print(f"  [dim]…[/] {text}", highlight=False)

    def report(self, running: Running) -> None:
        """Print what became of a part, when a person would want to know."""
        line = _line(running)
        if line:
            self._console.print(line, highlight=False, soft_wrap=True)

    def tick(self, supervisor: Supervisor, seconds: float | None = None) -> None:
        """Show what is waited for; end the run after `seconds` of being ready."""
        if self._status is not None:
            self._status.update(self._doing(supervisor))
        if not supervisor.ready:
            return
        if self._ready_at is None:
            self._ready_at = time.monotonic()
            self.tell_where(supervisor)
        if seconds is not None and time.monotonic() - self._ready_at >= seconds:
            supervisor.stop_soon()

    def tell_where(self, supervisor: Supervisor) -> None:
        """Print the addresses, and how to get the keys."""
        took = time.monotonic() - self._begun
        self._console.print(f"\n[bold green]running[/] after {took:.1f} s; Ctrl-C stops it")
        chosen = self._settings
        places = {
            "serve": ("console", f"http://{chosen.host}:{chosen.serve_port}"),
            "ingest": ("ingest", f"http://{chosen.host}:{chosen.ingest_port}"),
            "clickhouse": (
                "ClickHouse",
                f"{chosen.clickhouse_url}  database {chosen.clickhouse_database}",
            ),
            "kafka": ("Kafka", chosen.brokers),
        }
        rows = [place for name, place in places.items() if name in supervisor.parts]
        rows += [("keys", "c360 keys"), ("logs", str(supervisor.logs))]
        for name, place in rows:
            self._console.print(f"  {name:<{_WIDTH}} {place}", highlight=False, soft_wrap=True)
        self._console.print()

    def _doing(self, supervisor: Supervisor) -> str:
        if supervisor.ready:
            minutes, rest = divmod(int(time.monotonic() - (self._ready_at or 0)), 60)
            return f"running for {minutes}:{rest:02d}"
        busy = [
            name
            for name, running in supervisor.parts.items()
            if running.state in (State.STARTING, State.CRASHED)
        ]
        return f"starting {', '.join(busy) or '…'} ({time.monotonic() - self._begun:.0f} s)"


def _line(running: Running) -> str:
    part: Part = running.part
    name = f"{part.name:<{_WIDTH}}"
    match running.state:
        case State.READY:
            again = f"  restart {running.restarts}" if running.restarts else ""
            return f"  [green]✓[/] {name}{part.where:<26}[dim]{running.took:4.1f} s{again}[/]"
        case State.CRASHED:
            code = "" if running.exit_code is None else f" (exit code {running.exit_code})"
            return f"  [red]✗[/] {name}ended{code}; starting it again. Its log: {running.log}"
        case State.STOPPED:
            return f"  [dim]· {name}stopped[/]"
        case _:
            return ""
