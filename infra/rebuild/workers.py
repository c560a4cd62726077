"""The workers out of the way for a moment: they alone may write their state while they run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from infra.errors import UserError
from infra.group import members, worker_group
from infra.local import home
from infra.local.running import State
from infra.rebuild.guard import stopping
from infra.settings import Settings

Say = Callable[[str], None]
EVERY = 0.2  # seconds
STOP_SECONDS = 600.0  # for those of other machines: a person stops them
START_SECONDS = 180.0


@contextmanager
def stopped(settings: Settings, say: Say, patience: float = STOP_SECONDS) -> Iterator[None]:
    """Run the block while no worker runs, and start again those of `c360 up`.

    Workers that others run are waited for: who stopped them starts them. Raises UserError
    when some still run after `patience` seconds.
    """
    count = len(_own(settings))
    if not count:
        _wait_until_gone(settings, say, patience)
        yield
        return
    say(f"stopping {_workers(count)}")
    with stopping(settings.home, count):
        _wait_until_gone(settings, say, patience)
        yield
        say(f"starting {_workers(count)}")
    _wait_until_ready(settings, count)


def _own(settings: Settings) -> list[home.PartState]:
    """Return the workers of the `c360 up` that runs on this machine's home."""
    running = home.published(settings.home)
    return [part for part in running if part.name.partition("-")[0] == "worker"]


def _wait_until_gone(settings: Settings, say: Say, patience: float) -> None:
    end, told = time.monotonic() + patience, ""
    while _own(settings) or (left := members(settings, worker_group(settings))):
        names = "" if _own(settings) else ", ".join(one.instance for one in left)
        if names and names != told:
            say(f"waiting until these workers are stopped: {names}")
            told = names
        if time.monotonic() > end:
            raise UserError(
                f"workers still run after {patience:.0f} s: {names or 'those of `c360 up`'}",
                "stop them first: they alone may write while they run",
            )
        time.sleep(EVERY)


def _wait_until_ready(settings: Settings, count: int) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        ready = [part for part in _own(settings) if part.state == State.READY]
        if len(ready) == count or home.holder(settings.home) is None:
            return
        time.sleep(EVERY)
    raise UserError("the workers do not come up again", "`c360 status` tells more")


def _workers(count: int) -> str:
    return "the worker" if count == 1 else f"the {count} workers"
