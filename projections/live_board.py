"""The totals of all customers: counts, the spread of risk, the open alerts.

Kept by difference: what a customer counted for before is taken away, what the new
record counts for is added. So the board equals a count over all customers, always.
"""

from __future__ import annotations

from collections import Counter
from heapq import nlargest

from msgspec import Struct

from projections.live_glance import Glance

BINS = 20  # of the risk's histogram: each 5 % wide


class OpenAlert(Struct, frozen=True, gc=False):
    """An episode that goes on. Times are ms, UTC."""

    customer_id: str
    rule: str
    number: int
    opened_ms: int
    name: str
    probability: float | None


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
                self._alerts.pop((old.customer_id, rule), None)
        if new is not None:
            self._count(new, 1)
            self._open(new)

    def newest_alerts(self, limit: int) -> list[OpenAlert]:
        """Return the open episodes that began last, newest first."""
        return nlargest(
            limit, self._alerts.values(), key=lambda one: (one.opened_ms, one.customer_id)
        )

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
                self._alerts[one.customer_id, rule] = OpenAlert(
                    one.customer_id,
                    rule,
                    episode.number,
                    episode.opened_ms,
                    one.name,
                    one.risk.probability if one.risk else None,
                )
