"""The churn model: River's StandardScaler and LogisticRegression over the lifetime prior.

A prediction is linear in the logit, so its reasons sum to it exactly. Until
WARM_UP examples are learnt the prior's logit is mixed in, alone at first.
"""

from __future__ import annotations

import math
from typing import Any, Self

from river import linear_model, optim, preprocessing, utils

PRIOR = "prior_logit"  # the feature that carries the lifetime prior
BASE = "base"  # the reason that belongs to no feature: the population's own risk
WARM_UP = 1_000
LEARNING_RATE = 0.05
INTERCEPT_RATE = 0.01
LIMIT = 100.0  # features are logs, shares and counts of few: more than this is a fault
TINY = 1e-12  # a variance below it is that of a constant
SPREAD = 8.0  # standard deviations beyond which a value counts no more


def clean(features: dict[str, float]) -> dict[str, float]:
    """Return the usable features: finite numbers, bounded. The given ones stay as they are."""
    return {
        name: min(LIMIT, max(-LIMIT, float(value)))
        for name, value in features.items()
        if isinstance(value, (int, float)) and math.isfinite(value)
    }


def sigmoid(logit: float) -> float:
    """Return the probability of a logit, without overflow."""
    if logit >= 0:
        return 1.0 / (1.0 + math.exp(-min(logit, 700.0)))
    grown = math.exp(max(logit, -700.0))
    return grown / (1.0 + grown)


class ChurnModel:
    """Learns P(no contact within the horizon); `learnt` counts examples: its version."""

    def __init__(self) -> None:
        self.learnt = 0
        self.scaler: Any = preprocessing.StandardScaler()
        self.regression: Any = linear_model.LogisticRegression(
            optimizer=optim.AdaGrad(LEARNING_RATE), intercept_lr=INTERCEPT_RATE
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
        known = clean(features)
        for name, value in known.items():
            if name in terms:
                mean, scale, weight = terms[name]
                distance = min(SPREAD, max(-SPREAD, (value - mean) * scale))
                shares[name] = trust * weight * distance
        if trust < 1.0 and PRIOR in known:
            shares[PRIOR] = shares.get(PRIOR, 0.0) + (1.0 - trust) * known[PRIOR]
        return shares

    def learn_one(self, features: dict[str, float], label: float) -> None:
        """Learn one matured example; `label` 1 stayed away, 0 came back."""
        known = clean(features)
        self.scaler.learn_one(known)
        means, variances = self.scaler.means, self.scaler.vars
        scaled: dict[str, float] = {}
        for name, value in known.items():
            if (variance := variances[name]) > TINY:
                distance = (value - means[name]) / math.sqrt(variance)
                scaled[name] = min(SPREAD, max(-SPREAD, distance))
        self.regression.learn_one(scaled, label >= 0.5)
        self.learnt += 1
        self._terms = None

    def mean(self, feature: str) -> float | None:
        """Return the population's mean of a feature, None when it was never seen."""
        seen = self.scaler.counts.get(feature, 0)
        return float(self.scaler.means[feature]) if seen else None

    def _compiled(self) -> dict[str, tuple[float, float, float]]:
        """Return mean, 1 / deviation and weight by feature; made once between two examples."""
        if self._terms is None:
            means, variances = self.scaler.means, self.scaler.vars
            self._terms = {
                name: (means[name], 1.0 / math.sqrt(variances[name]), weight)
                for name, weight in self.regression.weights.items()
                if variances[name] > TINY
            }
        return self._terms

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        return {
            "learnt": self.learnt,
            "counts": dict(self.scaler.counts),
            "means": dict(self.scaler.means),
            "vars": dict(self.scaler.vars),
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
        model.scaler = preprocessing.StandardScaler._from_state(
            counts=state["counts"], means=state["means"], vars=state["vars"]
        )
        model.regression._weights = utils.VectorDict(state["weights"])
        model.regression.intercept = state["intercept"]
        model.regression.optimizer.g2.update(state["g2"])
        model.regression.optimizer.n_iterations = state["steps"]
        return model
