"""Fixed-share aggregation (Herbster & Warmuth 1998) of candidates, by their log loss.

The weights are those of a Bayesian mixture in which at each example, with a small chance,
another candidate becomes the best: so none is ever given up. What is mixed are logits, not
probabilities (a logarithmic opinion pool), so that a mixture of linear models is one too. What
comes of it is calibrated by a shift and a stretch (Platt 1999), learnt online: too sure, too
shy or too late a mixture is put right before its members are.
"""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np

from models.online.posterior import Posterior

RATE = 0.25  # what an example's loss counts: examples of one customer say much the same
SHARE = 1e-4  # chance of a change, at each example
LEAST = 0.01  # weights below it are left out of what is mixed: their crosses cost time
WORST = 12.0  # nats: no one example may count more
# What is believed before any label: the prior, which has learnt from other customers.
START = {"prior": 0.7, "logit": 0.1, "bayes": 0.1, "crosses": 0.1}
SHARERS = tuple(START)
CALIBRATION_VARIANCE = 3e-4  # of the shift and of the stretch, by the prior: near 0 and 1
CALIBRATION_FADE = 1e-3


class Blend:
    """The candidates' weights, which sum to 1, and what calibrates their mixture."""

    def __init__(self) -> None:
        self.weights = dict(START)
        self._calibration = Posterior(CALIBRATION_FADE)
        self._calibration.insert(0, CALIBRATION_VARIANCE)
        self._calibration.insert(1, CALIBRATION_VARIANCE)

    def mix(self) -> dict[str, float]:
        """Return the weights that are mixed by: without those below LEAST, summing to 1."""
        kept = {name: weight for name, weight in self.weights.items() if weight >= LEAST}
        total = sum(kept.values())
        return {name: weight / total for name, weight in kept.items()}

    def calibration(self) -> tuple[float, float]:
        """Return what to add to the mixture, and before that to multiply it by."""
        shift, stretch = self._calibration.means.tolist()
        return shift, 1.0 + stretch

    def logit(self, logits: dict[str, float]) -> float:
        """Return the mixture of the candidates' logits, calibrated."""
        shift, stretch = self.calibration()
        return shift + stretch * self._mixed(logits)

    def _mixed(self, logits: dict[str, float]) -> float:
        return sum(weight * logits[name] for name, weight in self.mix().items())

    def learn_one(self, logits: dict[str, float], label: float) -> None:
        """Take in what the candidates said of an example."""
        shift, stretch = self.calibration()
        mixed = self._mixed(logits)
        terms = np.array([1.0, mixed])
        self._calibration.learn_one(terms, shift + stretch * mixed, label)
        weights = self.weights
        for name in weights:
            wrong = -logits[name] if label else logits[name]
            loss = math.log1p(math.exp(wrong)) if wrong < WORST else WORST
            weights[name] *= math.exp(-RATE * loss)
        total = sum(weights.values())
        for name, weight in weights.items():
            weights[name] = (1.0 - SHARE) * weight / total + SHARE * START[name]

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        return {"weights": dict(self.weights), "calibration": self._calibration.to_state()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the blend that `to_state` wrote."""
        blend = cls()
        blend.weights = {name: float(state["weights"][name]) for name in START}
        blend._calibration = Posterior.from_state(state["calibration"], CALIBRATION_FADE)
        return blend
