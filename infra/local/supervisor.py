"""Keep the parts running: start them in order, restart what crashes, stop all in reverse.

Which parts there are may change while it runs. Nothing outlives the supervisor: it
stops every part before it ends, and the parts are tethered to it in case it cannot. It
runs in one thread, the one the parts watch.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType

from infra.local import home as homes
from infra.local.logs import rotate
from infra.local.part import Part
from infra.local.running import Running, State

TICK = 0.1  # seconds
Report = Callable[[Running], None]


class Supervisor:
    """The parts of one data directory. `report` is told each time a part changes state.

    `wanted` returns the parts there should be from now on; it is asked on SIGUSR2. Who is
    there by name stays as it is.
    """

    def __init__(
        self,
        home: Path,
        parts: Sequence[Part],
        report: Report = lambda _: None,
        wanted: Callable[[], Sequence[Part]] | None = None,
    ) -> None:
        self.home = home.absolute()
        self._ask_wanted = wanted
        self._wanted = list(parts)
        self.logs = self.home / "logs"
        self._report = report
        self._stopping = threading.Event()
        self._reloading = threading.Event()
        self._resizing = threading.Event()
        self._screens: list[int] = []  # what is written to a terminal: file descriptors
        self.parts = {part.name: self._running(part) for part in parts}

    @property
    def ready(self) -> bool:
        """Whether every part is well."""
        return all(running.state is State.READY for running in self.parts.values())

    def stop_soon(self, *_: int | FrameType | None) -> None:
        """Ask `run` to end; asked again, parts are no longer waited for. Any thread may."""
        if self._stopping.is_set():
            for running in self.parts.values():
                running.kill()
        self._stopping.set()

    def catch_signals(self) -> None:
        """Let SIGINT, SIGTERM and a closed terminal end `run`, SIGUSR1 take over new secrets.

        SIGUSR2 asks which parts there should be.
        """
        signal.signal(signal.SIGINT, self.stop_soon)
        signal.signal(signal.SIGTERM, self.stop_soon)
        signal.signal(signal.SIGUSR1, lambda *_: self._reloading.set())
        signal.signal(signal.SIGUSR2, lambda *_: self._resizing.set())
        self._screens = [output for output in (1, 2) if os.isatty(output)]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as `nohup` leaves it
            signal.signal(signal.SIGHUP, self._hang_up)

    def _hang_up(self, *_: int | FrameType | None) -> None:
        """End `run`, in peace: a shell that ends may say so twice, and no screen is left."""
        self._stopping.set()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for screen in self._screens:
            os.dup2(nowhere, screen)
        os.close(nowhere)

    def run(self, each_tick: Callable[[], None] = lambda: None) -> None:
        """Run until asked to stop. Raises UserError when a part cannot be kept running."""
        with homes.locked(self.home):
            self.logs.mkdir(parents=True, exist_ok=True)
            try:
                while not self._stopping.is_set():
                    self.tick()
                    each_tick()
                    self._stopping.wait(TICK)
            finally:
                self._stop()

    def tick(self) -> None:
        """Drive every part one step on. Raises UserError when one cannot be kept running."""
        if self._reloading.is_set():
            self._reloading.clear()
            for running in self.parts.values():
                if running.part.follows_secrets:
                    running.restart()
        before = self._states()
        self._resize()
        for running in self.parts.values():
            running.step(partial(self._met, running), time.monotonic())
            if running.state is not before.get(running.part.name):
                self._report(running)
            rotate(running.log)
        if self._states() != before:
            self._publish()

    def _resize(self) -> None:
        """Add the parts that are missing, let go those that are too many; nobody waits for them."""
        if self._resizing.is_set() and self._ask_wanted is not None:
            self._resizing.clear()
            self._wanted = list(self._ask_wanted())
        names = {part.name for part in self._wanted}
        for name, running in list(self.parts.items()):
            if name not in names:
                running.retire()
            if running.retired and running.state is State.STOPPED:
                del self.parts[name]
        for part in self._wanted:
            if part.name not in self.parts:
                self.parts[part.name] = self._running(part)

    def _states(self) -> dict[str, State]:
        return {name: running.state for name, running in self.parts.items()}

    def _running(self, part: Part) -> Running:
        return Running(part, self.logs / f"{part.name}.log")

    def _met(self, running: Running) -> bool:
        """Whether all that a part needs is well, and what that needs: topics are gone with Kafka.

        What was not chosen to run is not needed.
        """
        needed = (self.parts.get(name) for name in running.part.needs)
        return all(other is None or (other.well() and self._met(other)) for other in needed)

    def _publish(self) -> None:
        homes.publish(self.home, [running.published() for running in self.parts.values()])

    def _stop(self) -> None:
        """Stop all, together whom nobody left needs: a worker after those that send to it."""
        left = dict(reversed(self.parts.items()))
        while left:
            needed = {name for running in left.values() for name in running.part.needs}
            going = [running for name, running in left.items() if name not in needed]
            for running in going:
                running.retire()
            for running in going:
                del left[running.part.name]
                if running.stop():
                    with suppress(OSError):  # who reads the reports may be gone: stop the rest too
                        self._report(running)
        self._publish()
