"""Bayesian online logistic regression with full covariance, of the features that came first.

Where labels are few it makes more of each than first order does: correlated features share
what is learnt, and a weight's step is as long as its doubt. It forgets fast, so that of those
who blend it is the one that follows where the world moves.
"""

from __future__ import annotations

from typing import Any, Final, Self

from librt.vecs import vec
from mypy_extensions import i64

from models.online import vectors
from models.online.posterior import Posterior

TERMS: Final = 128  # features, the first that came: the covariance is a square of them
VARIANCE: Final = 0.1  # of a feature's weight, by the prior
INTERCEPT_VARIANCE: Final = 1.0
FADE: Final = 1e-2  # of the covariance, at each fading


class Bayes:
    """Corrects an offset. Terms in this order: the intercept, the features by place."""

    def __init__(self) -> None:
        self.posterior = Posterior(FADE, [INTERCEPT_VARIANCE])

    def reach(self, features: int) -> None:
        """Make room for so many features, up to TERMS."""
        while (size := len(self.posterior.means)) <= min(features, TERMS):
            self.posterior.insert(size, VARIANCE)

    def terms(self, distances: vec[float]) -> vec[float]:
        """Return the terms' values, by distances by place."""
        size: i64 = len(self.posterior.means)
        terms = vectors.zeros(size)
        terms[0] = 1.0
        for place in range(1, size):
            terms[place] = distances[place - 1]
        return terms

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        return self.posterior.to_state()

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the model that `to_state` wrote, bit for bit."""
        model = cls()
        model.posterior = Posterior.from_state(state, FADE)
        return model
