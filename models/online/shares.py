"""A prediction for one customer, shared out among the features: what a `Scorecard` makes.

The shares are logits, against the population; with the base they sum to the prediction.
"""

from __future__ import annotations

from typing import Any, Final

from librt.vecs import vec
from mypy_extensions import i64, mypyc_attr

from models.online.scaling import bounded

PRIOR: Final = "prior_logit"  # the feature that carries the lifetime prior
BASE: Final = "base"  # the reason that belongs to no feature: the population's own risk
PRIOR_LIMIT: Final = 14.0  # a logit beyond it is a certainty that no prior can have
SPREAD: Final = 8.0  # standard deviations beyond which a value counts no more
CROSS_SPREAD: Final = 3.0  # and beyond which it counts no more in a cross

# Mean, 1 / deviation (0: it never varied, and says nothing), weight by deviation.
Term = tuple[float, float, float]
# Left and right column, the product's usual value, weight. A column is a feature and a knot.
Cross = tuple[int, int, float, float]


@mypyc_attr(acyclic=True)  # nobody looks for cycles among these: there are none
class Shares:
    """The logit's parts: `base`, and `by_place` of each feature, 0 where it has none.

    `told`: the places of those that have one, in the order in which they are summed.
    """

    __slots__ = ("base", "by_place", "told")

    def __init__(self, base: float, by_place: vec[float], told: vec[i64]) -> None:
        self.base = base
        self.by_place = by_place
        self.told = told

    def logit(self) -> float:
        """Return the sum of all."""
        by_place, told, total = self.by_place, self.told, self.base
        for number in range(i64(len(told))):
            total += by_place[told[number]]
        return total


def hinge(distance: float, knot: float) -> float:
    """Return a feature's distance as a cross takes it: whole (knot 0), or beyond the knot.

    Knot k > 0: how far above k deviations; k < 0: how far below.
    """
    if distance > CROSS_SPREAD:
        distance = CROSS_SPREAD
    elif distance < -CROSS_SPREAD:
        distance = -CROSS_SPREAD
    if not knot:
        return distance
    beyond = distance - knot if knot > 0.0 else knot - distance
    return beyond if beyond > 0.0 else 0.0


def prior_of(x: dict[str, Any]) -> float | None:
    """Return the lifetime prior's logit, within PRIOR_LIMIT; None when there is none."""
    value = bounded(x.get(PRIOR))
    return None if value is None else certain(value)


def certain(logit: float) -> float:
    """Return a prior's logit within PRIOR_LIMIT."""
    return PRIOR_LIMIT if logit > PRIOR_LIMIT else -PRIOR_LIMIT if logit < -PRIOR_LIMIT else logit
