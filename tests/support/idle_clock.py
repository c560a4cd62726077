"""A loop whose clock stands still while there is work, and leaps to what is due next.

So a test of waits needs no time and says to the millisecond what comes when, however slow the
machine. What comes from without, as from a socket, has no place in that time.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any


class IdleClock(asyncio.SelectorEventLoop):
    """A loop that sleeps without any time going by."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        select = self._selector.select

        def leap(timeout: float | None) -> list:
            found = select(0 if timeout is not None else None)
            if not found:
                self._now += timeout or 0.0
            return found

        self._selector.select = leap

    def time(self) -> float:
        return self._now


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine on such a loop."""
    with asyncio.Runner(loop_factory=IdleClock) as runner:
        return runner.run(work)
