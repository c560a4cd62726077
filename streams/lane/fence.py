"""Who may write: this worker, for its partitions, in this tenure, while it is alive.

A tenure lasts from an assignment of partitions to their revocation. What was
begun in one tenure is never published in another, and a process that stood still
for long has lost its partitions without having heard of it: it ends at once.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from time import monotonic

from streams.lane.fatal import die


class Fence:
    """The current tenure. Used from the event loop's thread only."""

    def __init__(self, *, longest_pause: float) -> None:
        self.longest_pause = longest_pause  # seconds without a beat after which all is lost
        self.tenure = 0
        self.generation = -1  # the consumer group's, as of the newest assignment
        self.continuous = False  # nobody else can have owned what this and the last tenure share
        self.places: Set[tuple[str, int]] = frozenset()
        self.ready = False  # state is recovered and positions are set: batches may come
        self.on_begin: Callable[[], None] = lambda: None
        # What the group's coordinator last said; changes before anybody tells us so.
        self.membership: Callable[[], int] = lambda: self.generation
        self._beat = monotonic()

    def begin(self, generation: int, places: Set[tuple[str, int]]) -> None:
        """Start a tenure: `places` are assigned, as full topic name and partition."""
        # A generation that this worker was not part of may have given them to another.
        self.continuous = self.tenure > 0 and 0 <= generation - self.generation <= 1
        self.tenure += 1
        self.generation = generation
        self.places = frozenset(places)
        self.ready = False
        self.on_begin()

    def end(self) -> None:
        """End the tenure: nothing is owned until the next one begins."""
        self.places = frozenset()
        self.ready = False

    def allows(self, tenure: int, place: tuple[str, int]) -> bool:
        """Return whether work of that tenure on that partition may still be written."""
        self.check_pause()
        return (
            tenure == self.tenure and place in self.places and self.membership() == self.generation
        )

    def beat(self) -> None:
        """Note that the event loop runs; called a few times a second."""
        self.check_pause()
        self._beat = monotonic()

    def check_pause(self) -> None:
        """End the process when the loop stood still for longer than `longest_pause`."""
        paused = monotonic() - self._beat
        if self.places and paused > self.longest_pause:  # who owns nothing has nothing to lose
            die(f"the event loop stood still for {paused:.1f} s: the partitions may be lost")
