"""Starts the workers again when whoever stopped them is done, or dead.

A process of its own, with a pipe to that one: the pipe ends when its holder does, however that
ended. `python -m infra.rebuild.guard HOME COUNT`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local import home as homes


@contextmanager
def stopping(home: Path, count: int) -> Iterator[None]:
    """Stop the workers of the `c360 up` on this home, and start as many again after the block."""
    guard = subprocess.Popen(  # noqa: S603  # our own module
        [sys.executable, "-m", "infra.rebuild.guard", str(home.absolute()), str(count)],
        stdin=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is not meant for it
    )
    try:
        homes.resize(home, 0)
        yield
    finally:
        guard.communicate()  # closes the pipe


def main(home: Path, count: int) -> None:
    """Wait until the pipe ends, and ask for as many workers again as there were."""
    sys.stdin.read()
    if homes.holder(home) is not None and homes.wanted_workers(home) == 0:
        homes.resize(home, count)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
