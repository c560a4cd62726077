"""Start, watch and stop one child process.

Each child has its own session, so that Ctrl-C in the terminal reaches the supervisor
alone, and is tethered: it dies when its starter does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.local import tether


def spawn(
    command: Sequence[str],
    log: Path,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command`, its output appended to `log`. Raises OSError."""
    log.parent.mkdir(parents=True, exist_ok=True)
    tied = [sys.executable, "-I", "-S", tether.__file__, str(os.getpid()), *command]
    with log.open("ab") as output:  # append: whoever rotates may truncate under the writer
        return subprocess.Popen(  # noqa: S603  # commands are the program's own
            tied,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environ) if environ is not None else None,
            cwd=cwd,
            start_new_session=True,
        )


def ask(process: subprocess.Popen[bytes]) -> None:
    """Ask `process` to end, and do not wait."""
    if process.poll() is None:
        process.terminate()
        process.send_signal(signal.SIGCONT)  # a stopped process could not obey


def finish(process: subprocess.Popen[bytes], grace: float) -> int:
    """Wait for the end of who was asked, kill it after `grace` seconds; return its exit code."""
    try:
        return process.wait(grace)
    except subprocess.TimeoutExpired:
        process.kill()
    return process.wait()


def stop(process: subprocess.Popen[bytes], grace: float) -> int:
    """Ask `process` to end, kill it after `grace` seconds; return its exit code."""
    ask(process)
    return finish(process, grace)


def tail(log: Path, lines: int = 15, since: int = 0) -> str:
    """Return the last `lines` of a log, from byte `since` on; empty when there is none."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(since if since <= size else 0, size - 16_384))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def size(log: Path) -> int:
    """Return a log's size in bytes, 0 when there is none."""
    try:
        return log.stat().st_size
    except FileNotFoundError:
        return 0


class Deadline:
    """A time limit in seconds, on the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def passed(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self._end
