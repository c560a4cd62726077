"""The worker: `python -m streams` runs every step in one process.

STEPS is the dataflow, in order; a step's module binds its agent when it is imported.
"""

from __future__ import annotations

import importlib
import os

# Faust looks for its event loop once, when it is first imported.
os.environ.setdefault("F_LOOP", "uvloop")

STEPS = ("validate", "resolve", "fold", "learn", "deliver")


def main() -> None:
    """Run the worker until it is told to stop."""
    from streams.app import app
    from streams.lane.garbage import look_seldom

    for step in STEPS:
        importlib.import_module(f"streams.{step}")
    app.finalize()
    look_seldom()
    app.Worker(loglevel="info", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main()
