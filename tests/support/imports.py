"""What a part imports once it runs, told by a process of its own: nothing else is loaded there."""

import os
import subprocess
import sys


def imported_late(program: str, **settings: str) -> list[str]:
    """Run a program that prints "new:" and what it imported late; return those modules' names.

    `settings` are added to its environment. Raises AssertionError with what it said when it fails.
    """
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | settings,
    )
    assert done.returncode == 0, done.stderr
    told, *names = done.stdout.split()
    assert told == "new:"
    return names
