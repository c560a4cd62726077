"""Rates and freshness of the newest minutes, second by second.

Bounded whatever the traffic: a second is a count and a histogram of delays whose
steps are 5 %, never a list of what came.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from math import expm1, log1p

KEPT = 180  # seconds
_STEP = 0.05


class Meter:
    """Counts events by the second and how late each became visible. Times are ms."""

    def __init__(self) -> None:
        self._events: OrderedDict[int, int] = OrderedDict()
        self._delays: OrderedDict[int, Counter[int]] = OrderedDict()

    def add(self, now_ms: int, events: int, delay_ms: int) -> None:
        """Count `events` that became visible now, `delay_ms` after they were received."""
        second = now_ms // 1000
        self._events[second] = self._events.get(second, 0) + events
        delays = self._delays.get(second)
        if delays is None:
            delays = self._delays[second] = Counter()
        delays[int(log1p(max(delay_ms, 0)) / _STEP)] += 1
        while len(self._events) > KEPT:
            self._events.popitem(last=False)
        while len(self._delays) > KEPT:
            self._delays.popitem(last=False)

    def series(self, now_ms: int, seconds: int) -> list[int]:
        """Return events of each of the last whole seconds, oldest first."""
        end = now_ms // 1000
        return [self._events.get(second, 0) for second in range(end - seconds, end)]

    def rate(self, now_ms: int, seconds: int = 10) -> float:
        """Return events a second, over the last whole seconds."""
        return sum(self.series(now_ms, seconds)) / seconds

    def freshness(self, now_ms: int, seconds: int = 60) -> tuple[float, float] | None:
        """Return the median and the 99th percentile delay in ms; None when nothing came."""
        end = now_ms // 1000
        delays: Counter[int] = Counter()
        for second in range(end - seconds, end + 1):
            delays.update(self._delays.get(second, {}))
        if not delays:
            return None
        return _quantile(delays, 0.50), _quantile(delays, 0.99)


def _quantile(delays: Counter[int], share: float) -> float:
    left = share * delays.total()
    for step in sorted(delays):
        left -= delays[step]
        if left <= 0:
            break
    return round(expm1((step + 0.5) * _STEP), 1)
