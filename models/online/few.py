"""The posterior of `models.online.posterior` for a handful of terms: in plain floats.

Of so few a NumPy call costs more than the sums. Up to FEW terms both add in one order, so they
are the same to the bit, and so is their state.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from models.online.posterior import FADE_EVERY, mode, pack, unpack
from models.online.scaling import sigmoid

FEW = 7  # from eight on NumPy adds in another order


class Few:
    """Means and covariance of the terms' weights; `variances` are the prior's."""

    def __init__(self, fade: float, variances: list[float]) -> None:
        self.fade = fade
        self.learnt = 0
        self.fresh = 0.0  # doubt since the last fading
        self.variances = variances
        self.means = [0.0 for _ in variances]
        self.covariance = [
            [variance if row == column else 0.0 for column in range(len(variances))]
            for row, variance in enumerate(variances)
        ]

    def strength(self, place: int) -> float:
        """Return the square of a weight's distance from 0, in its own deviations."""
        variance, mean = self.covariance[place][place], self.means[place]
        return mean * mean / variance if variance > 0.0 else 0.0

    def correction(self, terms: list[float]) -> float:
        """Return the terms' sum by the mean weights."""
        found = 0.0
        for mean, term in zip(self.means, terms, strict=True):
            found += mean * term
        return found

    def learn_one(self, terms: list[float], logit: float, label: float) -> None:
        """Take in one example of which `logit` was predicted."""
        gain = self._gain(terms)
        variance = 0.0
        for one, term in zip(gain, terms, strict=True):
            variance += one * term
        variance = max(0.0, variance)
        chance = sigmoid(mode(logit, variance, label))
        doubt = chance * (1.0 - chance)
        error, shrink = label - chance, (doubt / (1.0 + doubt * variance)) ** 0.5
        self.means = [mean + one * error for mean, one in zip(self.means, gain, strict=True)]
        gain = [one * shrink for one in gain]
        self.covariance = [
            [known - one * other for known, other in zip(row, gain, strict=True)]
            for row, one in zip(self.covariance, gain, strict=True)
        ]
        self.learnt += 1
        self.fresh += doubt
        if self.fresh >= FADE_EVERY:
            self.fresh = 0.0
            self._fade()

    def _gain(self, terms: list[float]) -> list[float]:
        found: list[float] = []
        for row in self.covariance:  # which is symmetric
            total = 0.0
            for known, term in zip(row, terms, strict=True):
                total += known * term
            found.append(total)
        return found

    def _fade(self) -> None:
        kept = 1.0 - self.fade
        for place, row in enumerate(self.covariance):
            row[:] = [kept * known for known in row]
            row[place] += self.fade * self.variances[place]

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types: what `Posterior.to_state` does."""
        half = [known for place, row in enumerate(self.covariance) for known in row[place:]]
        return {
            "learnt": self.learnt,
            "fresh": self.fresh,
            "variances": pack(np.array(self.variances)),
            "means": pack(np.array(self.means)),
            "covariance": pack(np.array(half)),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], fade: float) -> Self:
        """Return the posterior that `to_state` wrote, bit for bit."""
        posterior = cls(fade, unpack(state["variances"]).tolist())
        posterior.learnt, posterior.fresh = int(state["learnt"]), float(state["fresh"])
        posterior.means = unpack(state["means"]).tolist()
        half = iter(unpack(state["covariance"]).tolist())
        for place, row in enumerate(posterior.covariance):
            for other in range(place, len(row)):
                row[other] = posterior.covariance[other][place] = next(half)
        return posterior
