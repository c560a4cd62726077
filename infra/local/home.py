"""One data directory, one `c360 up`: the lock that says so, and what it says of itself.

The lock is the kernel's: it is gone when its holder is, however that ended.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from infra.errors import UserError
from infra.local import folders

LOCK = "up.lock"
STATE = "up.json"
WORKERS = "up.workers"
LOOKS = 5.0  # seconds: nobody who looks at the lock has it for longer


@dataclass(frozen=True, slots=True)
class PartState:
    """What `c360 status` shows of a part. `since_ms`: when it entered its state."""

    name: str
    state: str
    pid: int | None
    restarts: int
    since_ms: int


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Hold the directory for this process. Raises UserError when another one does."""
    lock = folders.prepare(home, private=True) / LOCK
    with lock.open("a+") as file:
        if not _taken(file):
            file.seek(0)
            raise UserError(
                f"`c360 up` is running on {home} already (process {file.read().strip()})",
                "stop it with Ctrl-C there, or use another directory with C360_HOME",
            )
        # What one that was killed said of itself is not true of this one.
        (home / STATE).unlink(missing_ok=True)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _taken(lock: IO[str]) -> bool:
    """Take the lock for this process alone; return whether it could. Who looks has it a moment."""
    end = time.monotonic() + LOOKS
    while not _flocked(lock, fcntl.LOCK_EX):
        # When it cannot even be shared, somebody runs.
        if time.monotonic() > end or not _flocked(lock, fcntl.LOCK_SH):
            return False
        fcntl.flock(lock, fcntl.LOCK_UN)
        time.sleep(0.005)
    return True


def _flocked(lock: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def holder(home: Path) -> int | None:
    """Return the process id of the `c360 up` that runs on this directory."""
    try:
        with (home / LOCK).open("r") as file:
            if not _flocked(file, fcntl.LOCK_SH):
                return int(file.read().strip() or 0) or None
    except FileNotFoundError:
        pass
    return None


def publish(home: Path, parts: list[PartState]) -> None:
    """Write what the parts are doing, for `status`."""
    fresh = home / f"{STATE}.new"
    fresh.write_text(json.dumps([asdict(part) for part in parts]))
    fresh.rename(home / STATE)


def published(home: Path) -> list[PartState]:
    """Return what the running `c360 up` last published; nothing when none is running."""
    if holder(home) is None:
        return []
    try:
        return [PartState(**part) for part in json.loads((home / STATE).read_text())]
    except FileNotFoundError:
        return []


def wanted_workers(home: Path) -> int:
    """Return how many workers the running `c360 up` is to have."""
    return int((home / WORKERS).read_text())


def want_workers(home: Path, count: int) -> None:
    """Write down how many workers there are to be, for `wanted_workers`."""
    fresh = home / f"{WORKERS}.new"
    fresh.write_text(str(count))
    fresh.rename(home / WORKERS)


def resize(home: Path, count: int) -> bool:
    """Tell the running `c360 up` how many workers there are to be; return whether one runs."""
    pid = holder(home)
    if pid is None:
        return False
    want_workers(home, count)
    os.kill(pid, signal.SIGUSR2)
    return True


def reload(home: Path) -> bool:
    """Tell the running `c360 up` that the secrets have changed; return whether one runs."""
    pid = holder(home)
    if pid is None:
        return False
    os.kill(pid, signal.SIGUSR1)
    return True
