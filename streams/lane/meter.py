"""The CPU time of one coroutine's own steps; what others do while it waits is theirs.

A batch is timed by it, so that an agent which leaves others their turn in the middle of
one is not taken for a dear one.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from time import thread_time
from types import coroutine
from typing import Any


class Meter:
    """Counts from `restart` on; both calls are made within a step of what it runs."""

    __slots__ = ("_begun", "_spent")

    def __init__(self) -> None:
        self._begun = self._spent = 0.0

    def restart(self) -> None:
        """Count from here."""
        self._begun, self._spent = thread_time(), 0.0

    def seconds(self) -> float:
        """Return the seconds of CPU so far."""
        return self._spent + thread_time() - self._begun

    @coroutine
    def run(self, work: Coroutine[Any, Any, None]) -> Generator[Any, None, None]:
        """Run `work` to its end, as awaiting it would."""
        thrown: BaseException | None = None
        while True:
            self._begun = thread_time()
            try:
                waits_for = work.send(None) if thrown is None else work.throw(thrown)
            except StopIteration:
                return
            self._spent = self.seconds()
            thrown = None
            try:
                yield waits_for
            except BaseException as error:  # a cancellation, mostly: it is for `work`
                thrown = error
