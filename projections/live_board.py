"""The totals of all customers: counts, the spread of risk, the open alerts.

Kept by difference: what a customer counted for before is taken away, what the new
record counts for is added. So the board equals a count over all customers, always.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Collection
from heapq import nlargest

from msgspec import Struct

from projections.live_glance import Glance

BINS = 20  # of the risk's histogram: each 5 % wide
KEPT = 200  # of the newest alerts: so many may close before all are looked through again
Begun = tuple[int, str, str]  # when an alert was opened (ms), whose, by which rule


class OpenAlert(Struct, frozen=True, gc=False):
    """An episode that goes on. Times are ms, UTC."""

    customer_id: str
    rule: str
    number: int
    opened_ms: int
    name: str
    probability: float | None


class Newest:
    """Which of all open alerts began last: kept, for to look at all of them takes long."""

    def __init__(self) -> None:
        self._kept: list[Begun] = []  # the largest of all, ascending

    def add(self, one: OpenAlert, others: int) -> None:
        """Take in an alert beside so many `others`."""
        begun = _begun(one)
        if len(self._kept) == others or (self._kept and begun > self._kept[0]):
            insort(self._kept, begun)
            del self._kept[:-KEPT]

    def discard(self, one: OpenAlert) -> None:
        """Leave an alert out."""
        begun = _begun(one)
        at = bisect_left(self._kept, begun)
        if self._kept[at : at + 1] == [begun]:
            del self._kept[at]

    def largest(self, limit: int, of: Collection[OpenAlert]) -> list[Begun]:
        """Return the newest `limit` of all there are, newest first."""
        if len(self._kept) < min(limit, len(of)):
            self._kept = nlargest(max(limit, KEPT), map(_begun, of))[::-1]
        return self._kept[: -limit - 1 : -1]


def _begun(one: OpenAlert) -> Begun:
    return one.opened_ms, one.customer_id, one.rule


class Board:
    """Totals over every customer that was not merged into another."""

    def __init__(self) -> None:
        self.customers = 0
        self.merged = 0
        self.incomplete = 0  # put together anew after an unmerge
        self.events = 0
        self.bands: Counter[str] = Counter()
        self.histogram = [0] * BINS
        self._alerts: dict[tuple[str, str], OpenAlert] = {}
        self._newest = Newest()

    @property
    def scored(self) -> int:
        """How many customers have a churn score."""
        return sum(self.histogram)

    @property
    def open_alerts(self) -> int:
        """How many episodes are open."""
        return len(self._alerts)

    def replace(self, old: Glance | None, new: Glance | None) -> None:
        """Count `new` in the place of `old`."""
        if old is not None:
            self._count(old, -1)
            for rule in old.episodes:
                alert = self._alerts.pop((old.customer_id, rule), None)
                if alert is not None:
                    self._newest.discard(alert)
        if new is not None:
            self._count(new, 1)
            self._open(new)

    def newest_alerts(self, limit: int) -> list[OpenAlert]:
        """Return the open episodes that began last, newest first."""
        newest = self._newest.largest(limit, self._alerts.values())
        return [self._alerts[customer_id, rule] for _, customer_id, rule in newest]

    def _count(self, one: Glance, sign: int) -> None:
        if one.merged_into is not None:
            self.merged += sign
            return
        self.customers += sign
        self.incomplete += sign * (one.regroup is not None)
        self.events += sign * one.profile.events
        if one.risk is not None:
            self.bands[one.risk.band] += sign
            self.histogram[min(int(one.risk.probability * BINS), BINS - 1)] += sign

    def _open(self, one: Glance) -> None:
        if one.merged_into is not None:
            return
        for rule, episode in one.episodes.items():
            if episode.status == "open":
                alert = OpenAlert(
                    one.customer_id,
                    rule,
                    episode.number,
                    episode.opened_ms,
                    one.name,
                    one.risk.probability if one.risk else None,
                )
                self._newest.add(alert, len(self._alerts))
                self._alerts[one.customer_id, rule] = alert
