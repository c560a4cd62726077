"""How far a past that is read in has come, in its own time: the watermark of one partition.

It follows from the order in which events are read, never from a clock: it is the oldest of the
newest few. Read in order of time, it goes along with the past. Customer by customer, it never
passes who is being read. In any other order it stays near the past's beginning.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from models.rhythm import DAY_MS

WINDOW: Final = 64  # newest events of the past that are looked at, all origins together
LEAST: Final = 4  # of each origin
ENDED: Final = 4_000  # events without one of an origin: what it had is read, or it has hardly any
# Files that are sorted by day have a day's events in any order.
ALLOWANCE_MS: Final = DAY_MS


class Watermark:
    """Of the events of the past that one partition has read; origins are logs they came by.

    Each origin is read at its own pace, so the watermark is that of the one farthest back.
    """

    __slots__ = ("_count", "_origins", "_read")

    def __init__(self) -> None:
        self._count = 0
        self._origins: dict[str, deque[int]] = {}
        self._read: dict[str, tuple[int, int]] = {}  # when it gave its newest, and which that was

    def note(self, origin: str, at_ms: int, now_ms: int) -> None:
        """Take in that an event of the past, which happened at `at_ms`, is read now."""
        times = self._origins.get(origin)
        if times is None:
            times = self._origins[origin] = deque(maxlen=WINDOW)
        times.append(at_ms)
        self._count += 1
        self._read[origin] = now_ms, self._count

    def read_ms(self) -> int | None:
        """Return when an event of the past was read last (ms), as far as is known still."""
        return max((read_ms for read_ms, _ in self._read.values()), default=None)

    def reached(self, now_ms: int, grace_ms: int) -> int | None:
        """Return up to when the past is told, ms since 1970; None: not known.

        An origin that gave nothing for `grace_ms`, or while others gave many, holds up nobody.
        """
        since_ms, since = now_ms - grace_ms, self._count - ENDED
        for origin in [
            o for o, (at, which) in self._read.items() if at < since_ms or which < since
        ]:
            del self._origins[origin], self._read[origin]
        if not self._origins:
            return None
        each = max(LEAST, WINDOW // len(self._origins))
        if any(len(times) < each for times in self._origins.values()):
            return None
        newest = (times[-at] for times in self._origins.values() for at in range(1, each + 1))
        return min(newest) - ALLOWANCE_MS
