"""The churn model: River's StandardScaler and LogisticRegression over the lifetime prior.

A prediction is linear in the logit, so its reasons sum to it exactly. Until
WARM_UP examples are learnt the prior's logit is mixed in, alone at first.
"""

from __future__ import annotations

import math
from typing import Any, Self

from models.online.river_parts import AdaGrad, LogisticRegression, VectorDict
from models.online.scaling import TINY, Scaler, bounded, clean, sigmoid

PRIOR = "prior_logit"  # the feature that carries the lifetime prior
BASE = "base"  # the reason that belongs to no feature: the population's own risk
WARM_UP = 1_000
LEARNING_RATE = 0.05
INTERCEPT_RATE = 0.01
SPREAD = 8.0  # standard deviations beyond which a value counts no more


class ChurnModel:
    """Learns P(no contact within the horizon); `learnt` counts examples: its version."""

    def __init__(self) -> None:
        self.learnt = 0
        self.scaler = Scaler(SPREAD)
        self.regression: Any = LogisticRegression(
            optimizer=AdaGrad(LEARNING_RATE), intercept_lr=INTERCEPT_RATE
        )
        self._terms: dict[str, tuple[float, float, float]] | None = None

    def predict_one(self, features: dict[str, float]) -> float:
        """Return P(churn). Unknown features count nothing, missing ones are the mean."""
        return sigmoid(sum(self.explain_one(features).values()))

    def explain_one(self, features: dict[str, float]) -> dict[str, float]:
        """Return each feature's share of the logit, BASE for the rest: they sum to it."""
        trust = min(1.0, self.learnt / WARM_UP)
        terms = self._compiled()
        shares = {BASE: trust * self.regression.intercept}
        for name, value in features.items() if terms else ():
            term = terms.get(name)
            if term is not None and (known := bounded(value)) is not None:
                mean, scale, weight = term
                distance = min(SPREAD, max(-SPREAD, (known - mean) * scale))
                shares[name] = trust * weight * distance
        if trust < 1.0 and (prior := bounded(features.get(PRIOR))) is not None:
            shares[PRIOR] = shares.get(PRIOR, 0.0) + (1.0 - trust) * prior
        return shares

    def learn_one(self, features: dict[str, float], label: float) -> None:
        """Learn one matured example; `label` 1 stayed away, 0 came back."""
        known = clean(features)
        self.scaler.learn_one(known)
        self.regression.learn_one(self.scaler.transform_one(known), label >= 0.5)
        self.learnt += 1
        self._terms = None

    def _compiled(self) -> dict[str, tuple[float, float, float]]:
        """Return mean, 1 / deviation and weight by feature; made once between two examples."""
        if self._terms is None:
            stats = self.scaler.stats
            self._terms = {
                name: (stats.means[name], 1.0 / math.sqrt(stats.vars[name]), weight)
                for name, weight in self.regression.weights.items()
                if stats.vars[name] > TINY
            }
        return self._terms

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        return {
            "learnt": self.learnt,
            "scaler": self.scaler.to_state(),
            "weights": dict(self.regression.weights),
            "intercept": self.regression.intercept,
            "g2": dict(self.regression.optimizer.g2),
            "steps": self.regression.optimizer.n_iterations,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the model that `to_state` wrote, bit for bit."""
        model = cls()
        model.learnt = int(state["learnt"])
        model.scaler = Scaler.from_state(state["scaler"], SPREAD)
        model.regression._weights = VectorDict(state["weights"])
        model.regression.intercept = state["intercept"]
        model.regression.optimizer.g2.update(state["g2"])
        model.regression.optimizer.n_iterations = state["steps"]
        return model
