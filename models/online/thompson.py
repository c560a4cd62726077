"""Thompson sampling's probabilities, computed instead of sampled.

Each arm's logit is normal, so its worth p * value - cost is a rising function of one
normal variable. The chance that an arm is worth most is an integral over it; drawing
from these chances is Thompson sampling with the propensities known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

from models.online.scaling import sigmoid

_NODES = 16
# Midpoints of equally likely slices: bounded, and exact enough (error about 1 %).
_Z = [NormalDist().inv_cdf((i + 0.5) / _NODES) for i in range(_NODES)]


@dataclass(frozen=True)
class Arm:
    """One arm: the normal distribution of its logit, and what a conversion is worth."""

    id: str
    mean: float
    variance: float
    value: float
    cost: float

    @cached_property
    def spread(self) -> float:
        """The logit's standard deviation, times the root of 2 that erf wants."""
        return math.sqrt(2.0 * self.variance)

    def below(self, worth: float) -> float:
        """Return P(this arm is worth less than `worth`)."""
        if self.value <= 0.0:  # worth the same, whatever happens
            return float(-self.cost < worth)
        chance = (worth + self.cost) / self.value
        if chance <= 0.0 or chance >= 1.0:
            return 0.0 if chance <= 0.0 else 1.0
        distance = (math.log(chance / (1.0 - chance)) - self.mean) / self.spread
        return 0.5 + 0.5 * math.erf(distance)


def propensities(arms: list[Arm], floor: float) -> dict[str, float]:
    """Return each arm's chance to be drawn, at least floor / len(arms); they sum to 1."""
    best = [_best(arm, [other for other in arms if other is not arm]) for arm in arms]
    if not any(best):  # all are worth exactly the same
        best = [1.0] * len(arms)
    total = sum(best)
    even = floor / len(arms)
    return {
        arm.id: even + (1.0 - floor) * chance / total
        for arm, chance in zip(arms, best, strict=True)
    }


def _best(arm: Arm, others: list[Arm]) -> float:
    deviation = math.sqrt(arm.variance)
    total = 0.0
    for z in _Z:
        worth = sigmoid(arm.mean + deviation * z) * arm.value - arm.cost
        chance = 1.0
        for other in others:
            chance *= other.below(worth)
            if chance == 0.0:
                break
        total += chance
    return total / _NODES
