"""The worker: `python -m streams` runs every step in one process.

STEPS is the dataflow, in order; a step's module binds its agent when it is imported.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from infra.settings import SettingsError
from infra.zstd import use_kept_memory
from models.catalogue import CatalogueError

# Faust looks for its event loop once, when it is first imported.
os.environ.setdefault("F_LOOP", "uvloop")

STEPS = ("validate", "resolve", "fold", "learn", "deliver")


def bind() -> Any:
    """Return the application with every step bound.

    Raises SettingsError or CatalogueError for what the settings name and cannot be used.
    """
    from streams.app import app

    for step in STEPS:
        importlib.import_module(f"streams.{step}")
    from streams.judge import secret

    secret()  # missing, it would be told only when there is something to learn
    return app


def load() -> None:
    """Import what steps ask for at first use: in mid-stream all would wait for it, for seconds."""
    importlib.import_module("phonenumbers")
    from models.online.learner import CHURN, resume

    resume(CHURN)  # River, and SciPy behind it


def main() -> int:
    """Run the worker until it is told to stop. Returns 2 when a setting cannot be used."""
    try:
        app = bind()
    except (SettingsError, CatalogueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    from streams.lane.garbage import look_seldom

    app.finalize()
    use_kept_memory()
    load()
    look_seldom()
    app.Worker(loglevel="info", redirect_stdouts=False).execute_from_commandline()
    return 0


if __name__ == "__main__":
    sys.exit(main())
