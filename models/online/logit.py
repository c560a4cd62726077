"""A logistic regression over the lifetime prior: the mathematics of the churn model.

It learns what River's `StandardScaler | LogisticRegression(AdaGrad)` learns (a test
holds the two together), in one pass instead of five. A prediction is linear in the
logit, so its reasons sum to it exactly. Until WARM_UP examples are learnt the prior's
logit is mixed in, alone at first.
"""

from __future__ import annotations

import math
from typing import Any, Self

from models.online.scaling import LIMIT, Moments, Scaler, bounded, sigmoid
from models.online.served import BASE as BASE
from models.online.served import PRIOR as PRIOR

WARM_UP = 1_000
LEARNING_RATE = 0.05
INTERCEPT_RATE = 0.01
SPREAD = 8.0  # standard deviations beyond which a value counts no more
EPSILON = 1e-8  # AdaGrad's: no step is divided by nothing


class Term(Moments):
    """A feature's moments, its weight, and the sum of its squared gradients (AdaGrad)."""

    __slots__ = ("g2", "weight")

    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.weight = 0.0
        self.g2 = 0.0


class Logit:
    """Weights by feature; `learnt` counts examples."""

    def __init__(self) -> None:
        self.learnt = 0
        self.intercept = 0.0
        self.scaler = Scaler(SPREAD, Term)

    def chance(self, features: dict[str, float]) -> float:
        """Return P(churn). Unknown features count nothing, missing ones are the mean."""
        return sigmoid(sum(self.explain_one(features).values()))

    def explain_one(self, features: dict[str, float]) -> dict[str, float]:
        """Return each feature's share of the logit, BASE for the rest: they sum to it."""
        trust = min(1.0, self.learnt / WARM_UP)
        shares = {BASE: trust * self.intercept}
        terms = self.scaler.parts
        for name, given in features.items() if terms else ():
            term = terms.get(name)
            if term is None or not term.scale:
                continue
            value = given  # `bounded` in line, as in the scaler
            if type(given) is not float or not -LIMIT <= given <= LIMIT:
                bound = bounded(given)
                if bound is None:
                    continue
                value = bound
            distance = (value - term.mean) * term.scale
            if not -SPREAD <= distance <= SPREAD:
                distance = math.copysign(SPREAD, distance)
            shares[name] = trust * term.weight * distance
        if trust < 1.0 and (prior := bounded(features.get(PRIOR))) is not None:
            shares[PRIOR] = shares.get(PRIOR, 0.0) + (1.0 - trust) * prior
        return shares

    def usual(self, feature: str) -> float | None:
        """Return the population's mean of a feature, None when it was never seen."""
        term = self.scaler.parts.get(feature)
        return None if term is None else term.mean

    def learn_one(self, x: dict[str, float], y: float) -> None:
        """Learn one example; label `y` is 1 or 0."""
        known = self.scaler.learn_one(x)
        logit = self.intercept
        for term, distance in known:
            logit += term.weight * distance
        slope = sigmoid(logit) - (y >= 0.5)
        self.intercept -= INTERCEPT_RATE * slope
        for term, distance in known:
            gradient = slope * distance
            term.g2 += gradient * gradient
            term.weight -= LEARNING_RATE * gradient / math.sqrt(term.g2 + EPSILON)
        self.learnt += 1

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        terms = self.scaler.parts.items()
        return {
            "learnt": self.learnt,
            "scaler": self.scaler.to_state(),
            "weights": {name: term.weight for name, term in terms},
            "intercept": self.intercept,
            "g2": {name: term.g2 for name, term in terms},
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the model that `to_state` wrote, bit for bit."""
        model = cls()
        model.learnt = int(state["learnt"])
        model.intercept = state["intercept"]
        model.scaler = Scaler.from_state(state["scaler"], SPREAD, Term)
        for name, term in model.scaler.parts.items():
            term.weight = state["weights"].get(name, 0.0)
            term.g2 = state["g2"].get(name, 0.0)
        return model


Known = list[tuple["Weight", float]]


class Weight(Moments):
    """A feature's moments, its first-order weight, and the sum of its squared gradients."""

    __slots__ = ("g2", "weight")

    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.weight = 0.0
        self.g2 = 0.0


class FirstOrder:
    """Corrects an offset by a weight a feature, learnt by AdaGrad (Duchi et al. 2011)."""

    def __init__(self) -> None:
        self.intercept = 0.0

    def correction(self, known: Known) -> float:
        """Return what to add to the offset's logit."""
        logit = self.intercept
        for part, distance in known:
            logit += part.weight * distance
        return logit

    def learn_one(self, known: Known, slope: float) -> None:
        """Learn one example; `slope` is its probability less its label."""
        self.intercept -= INTERCEPT_RATE * slope
        for part, distance in known:
            gradient = slope * distance
            part.g2 = g2 = part.g2 + gradient * gradient
            part.weight -= LEARNING_RATE * gradient / math.sqrt(g2 + EPSILON)

    def to_state(self, parts: dict[str, Weight]) -> dict[str, Any]:
        """Return the intercept and the weights, as JSON types."""
        weights = {name: [part.weight, part.g2] for name, part in parts.items()}
        return {"intercept": self.intercept, "weights": weights}

    @classmethod
    def from_state(cls, state: dict[str, Any], parts: dict[str, Weight]) -> Self:
        """Return what `to_state` wrote, its weights in `parts`."""
        model = cls()
        model.intercept = float(state["intercept"])
        for name, (weight, g2) in state["weights"].items():
            parts[name].weight, parts[name].g2 = weight, g2
        return model
