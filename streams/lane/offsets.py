"""How far each partition is; the law: an offset is done when all before it are.

Batches are handed out in order and may be finished in any; what is done is the
first offset that is not wholly processed, and that alone is committed.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from typing import Any

Place = Any  # Faust's TP: full topic name, partition


class Offsets:
    """One tenure's account. A batch is named by its last offset."""

    def __init__(self) -> None:
        # Handed out, in order: last offset, records.
        self._open: dict[Place, deque[tuple[int, int]]] = defaultdict(deque)
        self._finished: dict[Place, set[int]] = defaultdict(set)  # of those
        self._done: dict[Place, int] = {}
        self._next: dict[Place, int] = {}

    def begin(self, done: Mapping[Place, int]) -> None:
        """Start from what was committed."""
        self._done = dict(done)

    def end(self) -> None:
        """Forget everything: the tenure is over."""
        self._open.clear()
        self._finished.clear()
        self._done.clear()
        self._next.clear()

    def handed_out(self, place: Place, last: int, records: int = 1) -> None:
        """Note a batch, after those before it."""
        self._open[place].append((last, records))
        self._next[place] = last + 1

    def finished(self, place: Place, last: int) -> None:
        """Note that a batch is wholly processed."""
        waiting, finished = self._open[place], self._finished[place]
        finished.add(last)
        while waiting and waiting[0][0] in finished:
            done, _ = waiting.popleft()
            finished.discard(done)
            self._done[place] = done + 1

    def open(self, place: Place) -> int:
        """Return how many records are handed out and not done."""
        return sum(records for _, records in self._open[place])

    def next(self, place: Place) -> int:
        """Return the first offset that was not handed out."""
        return self._next.get(place, 0)

    def done(self, place: Place) -> int | None:
        """Return the first offset that is not wholly processed, None when not known yet."""
        return self._done.get(place)

    def places(self) -> Iterable[Place]:
        """Return the partitions of which something was handed out."""
        return list(self._open)
