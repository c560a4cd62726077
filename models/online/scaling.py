"""What stands before every model: River's StandardScaler, behind two guards.

Only finite numbers get in, and none moves the mean by more than an ordinary one
could: a value far outside is taken for the edge of what is usual.
"""

from __future__ import annotations

import math
from typing import Any, Self

from models.online.river_parts import StandardScaler

LIMIT = 100.0  # features are logs, shares and counts of few: more than this is a fault
TINY = 1e-12  # a variance below it is that of a constant
KNOWN = 50  # values after which it is known what is usual


def clean(features: dict[str, float]) -> dict[str, float]:
    """Return the usable features: finite numbers, bounded. The given ones stay as they are."""
    known = ((name, bounded(value)) for name, value in features.items())
    return {name: value for name, value in known if value is not None}


def bounded(value: object) -> float | None:
    """Return a feature's value within the bounds; None when it is no finite number."""
    if type(value) is float and -LIMIT <= value <= LIMIT:  # the usual case: false for NaN
        return value
    if isinstance(value, (int, float)) and -math.inf < value < math.inf:
        return float(min(LIMIT, max(-LIMIT, value)))
    return None


def sigmoid(logit: float) -> float:
    """Return the probability of a logit, without overflow."""
    if logit >= 0:
        return 1.0 / (1.0 + math.exp(-min(logit, 700.0)))
    grown = math.exp(max(logit, -700.0))
    return grown / (1.0 + grown)


class Scaler:
    """Standardises features, cut at `spread` deviations. Learns only when told to."""

    def __init__(self, spread: float) -> None:
        self.spread = spread
        self.stats: Any = StandardScaler()

    def learn_one(self, known: dict[str, float]) -> None:
        """Take in features that `clean` returned."""
        self.stats.learn_one({name: self._usual(name, value) for name, value in known.items()})

    def transform_one(self, known: dict[str, float]) -> dict[str, float]:
        """Return the standardised features; those that never varied are left out."""
        means, variances = self.stats.means, self.stats.vars
        scaled: dict[str, float] = {}
        for name, value in known.items():
            # `in`, because asking a defaultdict would add what nobody has learnt.
            if name in variances and (variance := variances[name]) > TINY:
                distance = (value - means[name]) / math.sqrt(variance)
                scaled[name] = min(self.spread, max(-self.spread, distance))
        return scaled

    def mean(self, feature: str) -> float | None:
        """Return the mean of a feature, None when it was never seen."""
        return float(self.stats.means[feature]) if feature in self.stats.counts else None

    def _usual(self, name: str, value: float) -> float:
        if self.stats.counts.get(name, 0) < KNOWN:
            return value
        mean, reach = self.stats.means[name], self.spread * math.sqrt(self.stats.vars[name])
        if reach <= TINY:  # constant so far: the first change must be able to get in
            return value
        return float(min(mean + reach, max(mean - reach, value)))

    def to_state(self) -> dict[str, Any]:
        """Return counts, means and variances by feature, as JSON types."""
        stats = self.stats
        return {
            "counts": dict(stats.counts),
            "means": dict(stats.means),
            "vars": dict(stats.vars),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], spread: float) -> Self:
        """Return the scaler that `to_state` wrote, bit for bit."""
        scaler = cls(spread)
        scaler.stats = StandardScaler._from_state(**state)
        return scaler
