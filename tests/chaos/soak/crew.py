"""The workers of one run: started, killed, paused, and started again when they crash."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from infra.local import ports, process, tether
from infra.local.stack import answers
from infra.settings import Settings

BROKEN = 70  # a promise could not be kept: to be started again
ENDS = (BROKEN, -signal.SIGKILL)
AGAIN = 0.3  # seconds until it is
STOPS = 90.0  # seconds in which a worker must have stopped


class Zygote:
    """Forks workers that have imported everything already."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [
                *(sys.executable, tether.__file__, str(os.getpid())),
                *(sys.executable, "-m", "tests.chaos.soak.zygote"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def fork(self, environ: dict[str, str], log: Path) -> int:
        """Start a worker; return its process id."""
        return self._ask({"environ": environ, "log": str(log)})["pid"]

    def code(self, pid: int) -> int | None:
        """Return the exit code of one that has ended, None while it runs. Once only."""
        return self._ask({"poll": pid})["code"]

    def close(self) -> None:
        """End it, and all it started."""
        self._process.kill()
        self._process.wait()

    def _ask(self, request: dict) -> dict:
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


class Worker:
    """One worker by its name: running, or not, and whether it should be."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = ports.free_port()
        self.pid: int | None = None
        self.wanted = True
        self.paused = False
        self.asked: float | None = None  # when it was told to stop
        self.again = 0.0  # when it is to be started


class UnexpectedEndError(AssertionError):
    """A worker ended as none should."""


class Crew:
    """All workers of a run, in a folder of its own."""

    def __init__(self, settings: Settings, zygote: Zygote, folder: Path) -> None:
        self._settings = settings
        self._zygote = zygote
        self._folder = folder
        self._made = 0
        self.workers: list[Worker] = []
        self.ended: list[tuple[str, int]] = []

    def add(self) -> Worker:
        """Start one more."""
        self._made += 1
        self.workers.append(Worker(f"w{self._made}"))
        self._start(self.workers[-1])
        return self.workers[-1]

    def up(self) -> list[Worker]:
        """Return those that run, not being stopped or paused."""
        return [one for one in self.workers if one.pid and not one.asked and not one.paused]

    def ready(self) -> bool:
        """Whether all have their share, and its state."""
        return all(answers(f"http://127.0.0.1:{one.port}/healthz") for one in self.workers)

    def kill(self, worker: Worker, away: float) -> None:
        """SIGKILL it; it comes back by itself."""
        os.kill(worker.pid, signal.SIGKILL)
        worker.again = time.monotonic() + away

    def pause(self, worker: Worker) -> Callable[[], None]:
        """SIGSTOP it; call what is returned to let it go on."""
        pid = worker.pid
        os.kill(pid, signal.SIGSTOP)
        worker.paused = True

        def go_on() -> None:
            worker.paused = False
            if worker.pid == pid:
                os.kill(pid, signal.SIGCONT)

        return go_on

    def stop(self, worker: Worker, number: int, away: float | None) -> None:
        """Tell it to stop; it comes back after `away` seconds, or never (None)."""
        os.kill(worker.pid, number)
        worker.asked = time.monotonic()
        worker.wanted = away is not None
        worker.again = time.monotonic() + (away or 0.0)

    def tend(self) -> None:
        """Note who has ended, and start again who should run. Raises UnexpectedEndError."""
        now = time.monotonic()
        for one in list(self.workers):
            code = self._zygote.code(one.pid) if one.pid else None
            if code is not None:
                self._note(one, code)
            elif one.asked and now - one.asked > STOPS:
                raise UnexpectedEndError(f"{one.name} does not stop\n{self.tail(one)}")
            if one.pid is None and not one.wanted:
                self.workers.remove(one)
            elif one.pid is None and now >= one.again:
                self._start(one)

    def tail(self, worker: Worker, lines: int = 40) -> str:
        """Return the end of its log."""
        return process.tail(self._folder / f"{worker.name}.log", lines)

    def stop_all(self) -> None:
        """Tell all to stop, together, and wait. Raises UnexpectedEndError."""
        for one in self.workers:
            one.wanted = False
            if one.pid and not one.asked:
                self.stop(one, signal.SIGTERM, None)
        while self.workers:
            self.tend()
            time.sleep(0.05)

    def kill_all(self) -> None:
        """End whatever is left."""
        for one in self.workers:
            if one.pid:
                with suppress(ProcessLookupError):
                    os.kill(one.pid, signal.SIGKILL)

    def _note(self, worker: Worker, code: int) -> None:
        self.ended.append((worker.name, code))
        # By the signal itself: it was told before it had begun anything.
        if code not in ((*ENDS, 0, -signal.SIGTERM, -signal.SIGINT) if worker.asked else ENDS):
            raise UnexpectedEndError(f"{worker.name} ended with {code}\n{self.tail(worker)}")
        worker.pid, worker.asked, worker.paused = None, None, False
        worker.again = max(worker.again, time.monotonic() + AGAIN)

    def _start(self, worker: Worker) -> None:
        own = {"instance": worker.name, "worker_port": worker.port}
        clean = {name: value for name, value in os.environ.items() if not name.startswith("C360_")}
        environ = clean | self._settings.model_copy(update=own).environ()
        worker.pid = self._zygote.fork(environ, self._folder / f"{worker.name}.log")
