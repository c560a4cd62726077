"""The posterior of `models.online.posterior` for a handful of terms, given and told as lists."""

from __future__ import annotations

from typing import Any, Self

from models.online import vectors
from models.online.posterior import Posterior


class Few:
    """Means and covariance of the terms' weights; `variances` are the prior's."""

    def __init__(self, fade: float, variances: list[float]) -> None:
        self._posterior = Posterior(fade, variances)

    @property
    def means(self) -> list[float]:
        """The terms' mean weights; a new list."""
        return self._posterior.weights()

    def strength(self, place: int) -> float:
        """Return the square of a weight's distance from 0, in its own deviations."""
        return self._posterior.strength(place)

    def correction(self, terms: list[float]) -> float:
        """Return the terms' sum by the mean weights."""
        return self._posterior.correction(vectors.of(terms))

    def learn_one(
        self, terms: list[float], logit: float, label: float, weight: float = 1.0
    ) -> None:
        """Take in one example of which `logit` was predicted; its likelihood, to this power."""
        self._posterior.learn_one(vectors.of(terms), logit, label, weight)

    def append(self, variance: float) -> None:
        """Add a term behind the others, whose weight is 0, give or take."""
        self._posterior.insert(len(self._posterior.means), variance)

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        return self._posterior.to_state()

    @classmethod
    def from_state(cls, state: dict[str, Any], fade: float) -> Self:
        """Return the posterior that `to_state` wrote, bit for bit."""
        few = cls(fade, [])
        few._posterior = Posterior.from_state(state, fade)
        return few
