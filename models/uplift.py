"""What an action caused, told by those whom chance left without it.

Customers are drawn once for all into a control group, so a difference between the groups is the
action's, whatever it was followed by. One number a customer: what he earned in all.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from msgspec import Struct

from models.offpolicy.logged import Floats
from models.offpolicy.rewards import context

MIN_GROUP: Final = 100  # customers in either group; with fewer a difference is an accident
_WIDE: Final = 1.959964  # of a normal's deviations to either side hold 95 %
_HOLD: Final = 0.01  # beside a diagonal of 1: features that go together must not cancel out


class Lift(Struct, frozen=True, kw_only=True):
    """The difference a customer between two groups. Without `lift`, `refused` says why."""

    offered: int  # customers
    control: int
    offered_earned: float | None = None  # a customer
    control_earned: float | None = None
    lift: float | None = None
    low: float | None = None
    high: float | None = None
    adjusted: float | None = None  # the same, less what the groups differed by beforehand
    adjusted_low: float | None = None
    adjusted_high: float | None = None
    explained: float = 0.0  # share of the variance that was there beforehand
    refused: str | None = None


class Groups:
    """Sums over customers, two groups, and what was known of each before; then their `lift`."""

    def __init__(self, features: int) -> None:
        wide = 2 + features  # 1, the features, what was earned
        self._sums: Floats = np.zeros((2, wide, wide))

    def add(self, control: Floats, earned: Floats, features: Floats) -> None:
        """Take in n customers: 1 for a control, what each earned, n x d features beforehand."""
        rows = np.hstack([context(features), earned[:, None]])
        for group in range(2):
            own = rows[control == group]
            self._sums[group] += own.T @ own

    def lift(self) -> Lift:
        """Return the groups' difference, plain (Welch 1947) and adjusted (CUPED: Deng et al. 2013).

        The adjustment takes off what a regression on the features beforehand explains, so it is
        about the same difference, told more narrowly.
        """
        offered, control = (round(one[0, 0]) for one in self._sums)
        if min(offered, control) < MIN_GROUP:
            return Lift(offered=offered, control=control, refused=_few(offered, control))
        means = self._sums[:, 0, :] / self._sums[:, :1, 0]
        spreads = np.stack([_spread(one) for one in self._sums])
        slopes = _slopes(spreads.sum(axis=0))
        taken_off = np.concatenate([-slopes, [1.0]])
        plain, adjusted = np.zeros(len(taken_off)), taken_off
        plain[-1] = 1.0
        lift, error = _difference(self._sums, means, spreads, plain)
        steady, narrow = _difference(self._sums, means, spreads, adjusted)
        return Lift(
            offered=offered,
            control=control,
            offered_earned=float(means[0, -1]),
            control_earned=float(means[1, -1]),
            lift=lift,
            low=lift - _WIDE * error,
            high=lift + _WIDE * error,
            adjusted=steady,
            adjusted_low=steady - _WIDE * narrow,
            adjusted_high=steady + _WIDE * narrow,
            explained=max(0.0, 1.0 - (narrow / error) ** 2) if error > 0 else 0.0,
        )


def _few(offered: int, control: int) -> str:
    return (
        f"{offered} customers offered something and {control} controls are too few to tell"
        f" (at least {MIN_GROUP} of each)"
    )


def _spread(sums: Floats) -> Floats:
    """Return the centred products of features and earnings, from their sums."""
    count, firsts = sums[0, 0], sums[0, 1:]
    centred: Floats = sums[1:, 1:] - np.outer(firsts, firsts) / count
    return centred


def _slopes(spread: Floats) -> Floats:
    """Return what a unit of each feature explains of the earnings, of both groups together."""
    scales = np.sqrt(np.maximum(np.diag(spread)[:-1], 0.0))
    varies = scales > 1e-9
    scales = np.where(varies, scales, 1.0)
    alike = spread[:-1, :-1] / np.outer(scales, scales)
    alike[~varies] = alike[:, ~varies] = 0.0
    hold = np.eye(len(scales)) * _HOLD
    slopes = np.linalg.solve(alike + hold, np.where(varies, spread[:-1, -1] / scales, 0.0))
    found: Floats = slopes / scales
    return found


def _difference(sums: Floats, means: Floats, spreads: Floats, of: Floats) -> tuple[float, float]:
    """Return the groups' difference in a combination of features and earnings, and its error."""
    counts = sums[:, 0, 0]
    values = means[:, 1:] @ of
    variances = np.maximum(np.einsum("i,gij,j->g", of, spreads, of), 0.0) / (counts - 1)
    return float(values[0] - values[1]), math.sqrt(float((variances / counts).sum()))
