"""What policies would have earned in a trial: sums over its rows, and their intervals by key.

Estimates: IPS (Horvitz & Thompson 1952), SNIPS (Swaminathan & Joachims 2015), and doubly robust
(Dudik, Langford & Li 2011), of which `Trial` gives each row's terms.
"""

from __future__ import annotations

import numpy as np

from models.offpolicy.logged import Floats
from models.offpolicy.resampling import Resampled, interval

ONLINE = "online"  # the policy of the bandit that is tried
LEVEL = 0.95
_PORTION = 512  # rows that are resampled at a time


class Sums:
    """Each policy's terms, summed over rows and over replicates of them by key."""

    def __init__(self, policies: list[str]) -> None:
        self.policies = policies
        self.rows = 0
        self._wide = 4 * len(policies) + 1  # by policy: dr, weight * reward, weight, weight²
        self._sums = Resampled(self._wide)
        self._keys: list[int] = []
        self._terms: list[list[float]] = []

    def add(self, key: int, terms: list[float]) -> None:
        """Add one row's terms."""
        self.rows += 1
        self._keys.append(key)
        self._terms.append([1.0, *terms])
        if len(self._keys) >= _PORTION:
            self._flush()

    def joined(self, other: Sums) -> Sums:
        """Return the sums of both."""
        self._flush()
        other._flush()
        both = Sums(self.policies)
        both.rows = self.rows + other.rows
        both._sums.total = self._sums.total + other._sums.total
        both._sums.replicates = self._sums.replicates + other._sums.replicates
        return both

    def figures(self) -> dict[str, dict[str, float | None]]:
        """Return each policy's value a row with its interval, and how much the log tells of it."""
        self._flush()
        return {name: self._figures(at) for at, name in enumerate(self.policies)}

    def gain(self, over: str) -> dict[str, float] | None:
        """Return what ONLINE earns a row more than another policy, with its interval."""
        self._flush()
        if over not in self.policies or not self.rows:
            return None
        one, other = (1 + 4 * self.policies.index(name) for name in (ONLINE, over))
        low, high = self._interval(self._sums.replicates[:, one] - self._sums.replicates[:, other])
        total = self._sums.total
        return {"value": float((total[one] - total[other]) / total[0]), "low": low, "high": high}

    def _figures(self, at: int) -> dict[str, float | None]:
        total, column = self._sums.total, 1 + 4 * at
        if not self.rows:
            return {"rows": 0}
        low, high = self._interval(self._sums.replicates[:, column])
        weight, square = total[column + 2], total[column + 3]
        return {
            "rows": self.rows,
            "value": float(total[column] / total[0]),
            "low": low,
            "high": high,
            "ips": float(total[column + 1] / total[0]),
            "snips": float(total[column + 1] / weight) if weight > 0 else None,
            "effective_rows": float(weight**2 / square) if square > 0 else 0.0,
        }

    def _interval(self, sums: Floats) -> tuple[float, float]:
        rows = self._sums.replicates[:, 0]
        there = rows > 0
        return interval(sums[there] / rows[there], LEVEL)

    def _flush(self) -> None:
        if self._keys:
            keys = np.array(self._keys, np.uint64)
            order = np.argsort(keys, kind="stable")
            self._sums.add(keys[order], np.array(self._terms)[order])
        self._keys, self._terms = [], []
