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
# Files that are sorted by day have a day's events in any order.
ALLOWANCE_MS: Final = DAY_MS


class Watermark:
    """Of the events of the past that one partition has read; origins are logs they came by.

    Each origin is read at its own pace, so the watermark is that of the one farthest back.
    """

    __slots__ = ("_origins", "_read_ms")

    def __init__(self) -> None:
        self._origins: dict[str, deque[int]] = {}
        self._read_ms: dict[str, int] = {}

    def note(self, origin: str, at_ms: int, now_ms: int) -> None:
        """Take in that an event of the past, which happened at `at_ms`, is read now."""
        times = self._origins.get(origin)
        if times is None:
            times = self._origins[origin] = deque(maxlen=WINDOW)
        times.append(at_ms)
        self._read_ms[origin] = now_ms

    def read_ms(self) -> int | None:
        """Return when an event of the past was read last (ms), as far as is known still."""
        return max(self._read_ms.values(), default=None)

    def reached(self, now_ms: int, grace_ms: int) -> int | None:
        """Return up to when the past is told, ms since 1970; None: not known.

        An origin that gave nothing for `grace_ms` is at its end, and holds up nobody.
        """
        for origin in [one for one, at in self._read_ms.items() if at + grace_ms < now_ms]:
            del self._origins[origin], self._read_ms[origin]
        if not self._origins:
            return None
        each = max(LEAST, WINDOW // len(self._origins))
        if any(len(times) < each for times in self._origins.values()):
            return None
        newest = (times[-at] for times in self._origins.values() for at in range(1, each + 1))
        return min(newest) - ALLOWANCE_MS
