"""The offer model: P(conversion) of each arm in a context, and how unsure that is.

A Bayesian logistic regression an arm, with diagonal covariance (Chapelle & Li
2011), over a level that the arms share, so that a new arm starts where the others
are. `propensities` turns doubt into Thompson sampling's probabilities; the arm is
drawn from just those, so what is logged is what was drawn from.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from models.online.scaling import Moments, Scaler, sigmoid

BIAS = "bias"
START = -2.2  # the shared level before anything was learnt: one in ten converts
LEVEL_VARIANCE = 1.0
BIAS_VARIANCE = 0.5
WEIGHT_VARIANCE = 0.05
SPREAD = 3.0  # contexts are cut at this many standard deviations


class OfferModel:
    """Learns from (context, arm, reward 0..1); `learnt` counts examples: its version."""

    def __init__(self) -> None:
        self.learnt = 0
        self.scaler = Scaler(SPREAD, Moments)
        self.level = [START, 1.0 / LEVEL_VARIANCE]  # mean, precision
        self.arms: dict[str, dict[str, list[float]]] = {}  # arm -> feature -> [mean, precision]

    def predict_one(self, features: dict[str, float], arm: str) -> tuple[float, float]:
        """Return the mean and the variance of the arm's logit in this context."""
        return self.predict_arms(features, [arm])[0]

    def predict_arms(
        self, features: dict[str, float], arms: Iterable[str]
    ) -> list[tuple[float, float]]:
        """Return `predict_one` of each arm, in order, in one context."""
        context = self._context(features)
        return [self._logit(context, self.arms.get(arm, {})) for arm in arms]

    def _logit(
        self, context: dict[str, float], weights: dict[str, list[float]]
    ) -> tuple[float, float]:
        mean, variance = self.level[0], 1.0 / self.level[1]
        if not weights:  # an arm that is new
            variance += BIAS_VARIANCE
        for name, value in context.items():
            if name in weights:
                weight, precision = weights[name]
                mean += weight * value
                variance += value * value / precision
        return mean, variance

    def learn_one(self, features: dict[str, float], arm: str, reward: float) -> None:
        """Learn one outcome: a step of the extended Kalman filter, each weight by itself."""
        self.scaler.learn_one(features)
        context = self._context(features)
        weights = self.arms.setdefault(arm, {})
        logit = self.level[0]
        for name, value in context.items():
            prior = BIAS_VARIANCE if name == BIAS else WEIGHT_VARIANCE
            logit += weights.setdefault(name, [0.0, 1.0 / prior])[0] * value
        chance = sigmoid(logit)
        doubt, surprise = max(chance * (1.0 - chance), 1e-3), min(1.0, max(0.0, reward)) - chance
        self.level[1] += doubt
        self.level[0] += surprise / self.level[1]
        for name, value in context.items():
            weight = weights[name]
            weight[1] += value * value * doubt
            weight[0] += surprise * value / weight[1]
        self.learnt += 1

    def _context(self, features: dict[str, float]) -> dict[str, float]:
        return {BIAS: 1.0, **self.scaler.transform_one(features)}

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        return {
            "learnt": self.learnt,
            "scaler": self.scaler.to_state(),
            "level": list(self.level),
            "arms": {arm: {k: list(v) for k, v in w.items()} for arm, w in self.arms.items()},
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the model that `to_state` wrote, bit for bit."""
        model = cls()
        model.learnt = int(state["learnt"])
        model.scaler = Scaler.from_state(state["scaler"], SPREAD, Moments)
        model.level = [float(part) for part in state["level"]]
        model.arms = {
            arm: {name: [float(part) for part in pair] for name, pair in weights.items()}
            for arm, weights in state["arms"].items()
        }
        return model
