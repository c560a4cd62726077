"""Logged decisions in columns: n of them, over the same k arms, seen by d features.

An arm that could not be taken has the propensity 0; the one that was has more. `reward` is
what came of it, in money or clicks: all that is estimated is in the same unit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Logged:
    """A portion of a log. All portions of one log have the same arms and features."""

    customers: NDArray[np.uint64]  # n: a hash of whom it was about; drawn whole when resampling
    chosen: NDArray[np.intp]  # n: the column of the arm that was taken
    rewards: Floats  # n
    propensities: Floats  # n x k: with which each arm could be taken; a row sums to 1
    features: Floats  # n x d: what the policy saw; NaN: unknown
    # n x k, what was believed of each arm; NaN: nothing.
    means: Floats | None = None  # of the logit that it converts
    deviations: Floats | None = None  # of that logit
    margins: Floats | None = None  # of a conversion, in money

    def __post_init__(self) -> None:
        """Refuse a log that no estimate can be made of."""
        n, k = self.propensities.shape
        for name, there, due in (
            ("customers", self.customers.shape, (n,)),
            ("chosen", self.chosen.shape, (n,)),
            ("rewards", self.rewards.shape, (n,)),
            ("features", self.features.shape, (n, *self.features.shape[1:])),
        ):
            if there != due:
                raise ValueError(f"{name}: {there} does not fit {n} decisions over {k} arms")
        if not np.isfinite(self.rewards).all():
            raise ValueError("rewards: not every one is a finite number")
        if n and not (self.taken() > 0).all():
            raise ValueError("propensities: an arm was taken that had no chance to be")

    def __len__(self) -> int:
        """How many decisions."""
        return len(self.rewards)

    def taken(self) -> Floats:
        """Return the propensity of each arm that was taken: n."""
        return self.of_chosen(self.propensities)

    def of_chosen(self, table: NDArray[Any]) -> Floats:
        """Return of each row of an n x k table the chosen arm's entry: n."""
        entries: Floats = table[np.arange(len(table)), self.chosen]
        return entries


# The probability of each arm under a policy: n x k, each row sums to 1 (or to 0: it would not act).
Policy = Callable[[Logged], Floats]
