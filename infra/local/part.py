"""A part of the running system: how to launch it, and how to know that it is well.

Launching checks and prepares first, so that what is wrong is said before a process
is there to fail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


def always() -> bool:
    """Be well by being alive: for a part without a port to ask."""
    return True


def nothing() -> None:
    """Leave nothing undone by ending."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part.

    `launch` prepares and returns the command line, or None when nothing is to run (an
    external server, a preparation). It raises UserError for what a person must mend.
    `survive` does what the process would have done at its end: it is called when the process
    did not end well and is not to come back. `needs` are the names of parts that must be well
    before this one starts. `grace` and `start_seconds` are in seconds.
    """

    name: str
    launch: Callable[[], list[str] | None]
    healthy: Callable[[], bool] = always
    needs: tuple[str, ...] = ()
    environ: Callable[[], Mapping[str, str]] = dict
    survive: Callable[[], None] = nothing
    where: str = ""  # its address, for people
    start_seconds: float = 180.0  # a loaded machine is slow, not broken
    grace: float = 30.0
    follows_secrets: bool = False  # restarted when the secrets change
    steady_seconds: float = field(default=0.0)  # alive for so long before it counts as well
