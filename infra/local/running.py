"""One supervised part over its life: waiting, starting, ready, crashed, stopping, stopped.

A crash counts against a part only while all that it needs is well: a worker that
cannot live without Kafka is not to blame for Kafka's absence.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from infra.errors import UserError
from infra.local import process
from infra.local.home import PartState
from infra.local.part import Part

QUICK_SECONDS = 30.0  # a crash sooner than this after it was ready is a quick one
QUICK_CRASHES = 5
FIRST_PAUSE = 0.5  # seconds; doubled with each quick crash
LONGEST_PAUSE = 15.0
EXIT_ASKED_WRONGLY = 2  # a part whose settings cannot be used: starting it again changes nothing
Met = Callable[[], bool]


class State(StrEnum):
    """What a part is doing."""

    WAITING = "waiting"  # for what it needs
    STARTING = "starting"
    READY = "ready"
    CRASHED = "crashed"  # to be restarted after a pause
    STOPPING = "stopping"  # asked to end, for good
    STOPPED = "stopped"


class Running:
    """A part, its process, and what became of it so far."""

    def __init__(self, part: Part, log: Path) -> None:
        self.part = part
        self.log = log
        self.state = State.WAITING
        self.restarts = 0
        self.took = 0.0  # seconds from launch to ready
        self.exit_code: int | None = None
        self.retired = False  # asked to end, for good
        self._quick = 0
        self._since = time.monotonic()
        self._since_ms = time.time_ns() // 1_000_000
        self._ready_once = False
        self._log_start = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def step(self, met: Met, now: float) -> None:
        """Go on to the next state when it is time. `met` asks: is all that it needs well.

        Raises UserError when it cannot be launched at all, or crashes again and again.
        """
        match self.state:
            case State.WAITING if met():
                self._launch(now)
            case State.STARTING:
                self._await_health(met, now)
            case State.READY if self._ended():
                self._crash(met, now)
            case State.CRASHED if now - self._since >= self._pause() and met():
                self._launch(now)
            case State.STOPPING if self._process and self._ended():
                self.exit_code = self._process.returncode
                self._survive()
                self._enter(State.STOPPED, now)
            case State.STOPPING if now - self._since > self.part.grace:
                self.kill()
            case _:
                pass

    def well(self) -> bool:
        """Whether others may rely on it now. An external server may be gone unnoticed."""
        if self.state is not State.READY:
            return False
        return self._process is not None or self.part.healthy()

    def restart(self) -> None:
        """Stop it, to be started again at the next step."""
        if self.state in (State.STARTING, State.READY):
            self.stop()
            self._enter(State.WAITING, time.monotonic())

    def retire(self) -> None:
        """Ask it to end; the steps that follow see to it, without anybody waiting."""
        self.retired = True
        if self.state not in (State.STOPPING, State.STOPPED):
            if self._process is not None:
                process.ask(self._process)
            # Asked once: who ends between two looks would be stopped with its work left undone.
            going = self.pid is not None
            if not going:
                self._survive()
            self._enter(State.STOPPING if going else State.STOPPED, time.monotonic())

    def stop(self) -> bool:
        """Stop its process, if any; say whether there was one."""
        if self._process is not None and self.state is not State.STOPPED:
            if self.state is not State.STOPPING:  # asked twice, some do not finish their work
                process.ask(self._process)
            self.exit_code = process.finish(self._process, self.part.grace)
            if self.retired:
                self._survive()
        stopped = self._process is not None and self.state is not State.STOPPED
        self._enter(State.STOPPED, time.monotonic())
        return stopped

    def kill(self) -> None:
        """End its process at once."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()

    def tail(self) -> str:
        """Return the end of what it logged since its newest launch."""
        return process.tail(self.log, since=self._log_start)

    def published(self) -> PartState:
        """Return what `c360 status` shows."""
        return PartState(self.part.name, self.state, self.pid, self.restarts, self._since_ms)

    def _launch(self, now: float) -> None:
        try:
            command = self.part.launch()
        except UserError as why:
            if not self._ready_once:
                raise
            # It ran before, so what is wrong may pass: a port not yet released.
            self._crash(lambda: True, now, why)
            return
        self._log_start = process.size(self.log)
        if command is not None:
            self._process = process.spawn(command, self.log, self.part.environ())
        self._enter(State.STARTING, time.monotonic())

    def _await_health(self, met: Met, now: float) -> None:
        if self._ended():
            self._crash(met, now)
        elif now - self._since >= self.part.steady_seconds and self.part.healthy():
            self.took = now - self._since
            self._ready_once = True
            self._enter(State.READY, now)
        elif now - self._since > self.part.start_seconds:
            self.kill()
            self._crash(met, now)

    def _crash(self, met: Met, now: float, why: UserError | None = None) -> None:
        if self._process is not None:
            self.exit_code = self._process.wait()
        if self.exit_code == EXIT_ASKED_WRONGLY:
            raise UserError(f"{self.part.name} cannot start: {self.tail()}", "correct the setting")
        lived = self.state is State.READY and now - self._since > QUICK_SECONDS
        self._quick = 1 if lived else self._quick + met()
        if self._quick >= QUICK_CRASHES:
            raise why or UserError(
                f"{self.part.name} crashed {self._quick} times in a row; its log ends:\n"
                f"{self.tail()}",
                f"the whole log: {self.log}",
            )
        self.restarts += 1
        self._enter(State.CRASHED, now)

    def _pause(self) -> float:
        return min(FIRST_PAUSE * 2.0 ** max(self._quick - 1, 0), LONGEST_PAUSE)

    def _survive(self) -> None:
        """Do what its process has left undone, which did not end well."""
        if self._process is not None and self._process.returncode != 0:
            self.part.survive()

    def _ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def _enter(self, state: State, now: float) -> None:
        self.state = state
        self._since = now
        self._since_ms = time.time_ns() // 1_000_000
