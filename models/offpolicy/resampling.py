"""The bootstrap over customers, in one pass and bounded memory.

Each customer is drawn a Poisson(1) number of times in each replicate (Chamandy et al. 2012,
after Oza & Russell 2001), and the number follows from a hash of the customer: whatever the order
or the portions in which decisions come, all of one customer's are drawn together, and twice the
same log gives the same intervals.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from models.offpolicy.logged import Floats

REPLICATES = 1000  # a multiple of four
_ROWS = 20_000  # customers weighted at a time
_BITS = 1 << 16
_CHANCES = np.cumsum([math.exp(-1) / math.factorial(times) for times in range(9)])
# Poisson(1) by a sixteen bit fraction.
_TIMES = np.searchsorted(_CHANCES, (np.arange(_BITS) + 0.5) / _BITS).astype(np.float64)
_SEEDS = np.arange(1, REPLICATES // 4 + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)


class Resampled:
    """Sums of s statistics, over the log and over each replicate of it."""

    def __init__(self, statistics: int) -> None:
        self.total: Floats = np.zeros(statistics)
        self.replicates: Floats = np.zeros((REPLICATES, statistics))

    def add(self, customers: NDArray[np.uint64], statistics: Floats) -> None:
        """Add the statistics, n x s, of n decisions of these customers."""
        self.total += statistics.sum(axis=0)
        names, begins = _runs(customers)
        sums = np.add.reduceat(statistics, begins, axis=0) if len(begins) else statistics
        for at in range(0, len(names), _ROWS):
            some = slice(at, at + _ROWS)
            self.replicates += times_drawn(names[some]).T @ sums[some]


def times_drawn(customers: NDArray[np.uint64]) -> Floats:
    """Return how often each customer is in each replicate: n x REPLICATES."""
    # splitmix64 (Steele, Lea & Flood 2014); each hash serves four replicates.
    with np.errstate(over="ignore"):
        mixed = customers[:, None] + _SEEDS[None, :]
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    times: Floats = _TIMES[mixed.astype("<u8").view("<u2")]
    return times


def interval(values: Floats, level: float) -> tuple[float, float]:
    """Return the middle `level` of the replicates' values: the percentile interval (Efron 1981)."""
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(values, [tail, 1.0 - tail])
    return float(low), float(high)


def _runs(customers: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.intp]]:
    """Return the customers, each run of one once, and where the runs begin."""
    if not len(customers):
        return customers, np.zeros(0, np.intp)
    begins = np.flatnonzero(np.concatenate(([True], customers[1:] != customers[:-1])))
    return customers[begins], begins
