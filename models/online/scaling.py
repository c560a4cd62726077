"""What stands before every model: each feature's distance from its mean, behind two guards.

Only finite numbers get in, and none moves the mean by more than an ordinary one
could: a value far outside is taken for the edge of what is usual. The moments are
those of River's StandardScaler (Welford); one pass over a dict of names gives them
and the distances, at a third of the cost.
"""

from __future__ import annotations

import math
from typing import Any, Final, Generic, Self, TypeVar

LIMIT: Final = 100.0  # features are logs, shares and counts of few: more than this is a fault
TINY: Final = 1e-12  # a variance below it is that of a constant
KNOWN: Final = 50  # values after which it is known what is usual
WORST: Final = 12.0  # nats: no one example may count more
MOST: Final = 256  # names; what makes up ever new ones must not make a model grow for ever


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


def log_loss(logit: float, label: float) -> float:
    """Return what a logit loses by a label, in nats; WORST at most."""
    wrong = -logit if label >= 0.5 else logit
    return math.log1p(math.exp(wrong)) if wrong < WORST else WORST


def trusted(trust: float, gain: float, share: float, start: float) -> float:
    """Return the trust in the second of two, which told a label better by `gain` nats.

    Fixed share (Herbster & Warmuth 1998): with a chance of `share` it begins anew at `start`.
    """
    odds = trust / (1.0 - trust) * math.exp(gain)
    return (1.0 - share) * odds / (1.0 + odds) + share * start


class Moments:
    """One feature so far: how often seen, mean, variance; scale is 1 / deviation.

    `scale` is 0 while the feature has not varied: it then tells nobody from another.
    `place` counts the features in the order in which they were first seen, from 0.
    """

    __slots__ = ("count", "mean", "place", "scale", "variance")

    def __init__(self, place: int) -> None:
        self.place = place
        self.count = 0
        self.mean = 0.0
        self.variance = 0.0
        self.scale = 0.0

    def learn_one(self, value: float, spread: float) -> None:
        """Take in a value; one beyond `spread` deviations counts as if it lay there."""
        away = value - self.mean
        if self.count >= KNOWN and not -spread <= away * self.scale <= spread:
            away = math.copysign(spread / self.scale, away)
        self.count += 1
        step = away / self.count
        self.mean += step
        self.variance += (away * (away - step) - self.variance) / self.count
        if self.variance > TINY:
            self.scale = 1.0 / math.sqrt(self.variance)


M = TypeVar("M", bound=Moments)
Values = dict[str, Any]  # features as they come: numbers, but nobody has looked


class Scaler(Generic[M]):
    """Standardises features, cut at `spread` deviations. Learns only when told to.

    `parts`: what is kept of each feature, by name; a model may keep more than `Moments`.
    """

    def __init__(self, spread: float, part: type[M]) -> None:
        self.spread = spread
        self.parts: dict[str, M] = {}
        self._make = part

    def learn_one(self, features: Values) -> list[tuple[M, float]]:
        """Take in an example's features; return those that vary, each with its distance then."""
        return self._taken(features, learnt=True)

    def observe(self, features: Values) -> list[tuple[M, float]]:
        """Return what `distances` would, and only then take the features in.

        What is learnt from is so just what was predicted from.
        """
        return self._taken(features, learnt=False)

    def _taken(self, features: Values, learnt: bool) -> list[tuple[M, float]]:
        """Take in features; return distances from moments that have `learnt` the example or not."""
        parts, spread = self.parts, self.spread
        scaled: list[tuple[M, float]] = []
        for name, given in features.items():
            # `bounded` in line: calling it for each would cost a third more.
            usual = type(given) is float and -LIMIT <= given <= LIMIT
            bound = given if usual else bounded(given)
            if bound is None:
                continue
            value: float = bound
            part = parts.get(name) or self._added(name)
            if part is None:
                continue
            if learnt:
                part.learn_one(value, spread)
            if part.scale:
                distance = (value - part.mean) * part.scale
                if not -spread <= distance <= spread:
                    distance = math.copysign(spread, distance)
                scaled.append((part, distance))
            if not learnt:
                part.learn_one(value, spread)
        return scaled

    def distances(self, features: Values) -> list[tuple[M, float]]:
        """Return the features that vary, each with its distance; learn nothing."""
        parts, spread = self.parts, self.spread
        scaled: list[tuple[M, float]] = []
        for name, given in features.items():
            part = parts.get(name)
            if part is None or not part.scale:
                continue
            usual = type(given) is float and -LIMIT <= given <= LIMIT  # `bounded` in line, as above
            bound = given if usual else bounded(given)
            if bound is None:
                continue
            value: float = bound
            distance = (value - part.mean) * part.scale
            if not -spread <= distance <= spread:
                distance = math.copysign(spread, distance)
            scaled.append((part, distance))
        return scaled

    def _added(self, name: str) -> M | None:
        if len(self.parts) >= MOST:
            return None
        part = self.parts[name] = self._make(len(self.parts))
        return part

    def vector(self, features: Values) -> list[float]:
        """Return the distances by place; 0, the mean, for what is unknown or never varied."""
        parts, spread = self.parts, self.spread
        scaled = [0.0] * len(parts)
        for name, given in features.items():
            part = parts.get(name)
            if part is None:
                continue
            usual = type(given) is float and -LIMIT <= given <= LIMIT  # `bounded` in line, as above
            bound = given if usual else bounded(given)
            if bound is None:
                continue
            value: float = bound
            distance = (value - part.mean) * part.scale
            if not -spread <= distance <= spread:
                distance = math.copysign(spread, distance)
            scaled[part.place] = distance
        return scaled

    def to_state(self) -> dict[str, Any]:
        """Return counts, means and variances by feature, as JSON types."""
        parts = self.parts.items()
        return {
            "counts": {name: part.count for name, part in parts},
            "means": {name: part.mean for name, part in parts},
            "vars": {name: part.variance for name, part in parts},
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], spread: float, part: type[M]) -> Self:
        """Return the scaler that `to_state` wrote, bit for bit."""
        scaler = cls(spread, part)
        for name, count in state["counts"].items():
            made = scaler.parts[name] = part(len(scaler.parts))
            made.count = count
            made.mean = state["means"][name]
            made.variance = state["vars"][name]
            made.scale = 1.0 / math.sqrt(made.variance) if made.variance > TINY else 0.0
        return scaler
