"""First-order logistic regression: a weight a feature, learnt by AdaGrad (Duchi et al. 2011).

The lightest of the candidates, and the quickest to follow where the world moves: its steps
shrink as the root of what it has seen, not as what it has seen.
"""

from __future__ import annotations

import math
from typing import Any, Final, Self

from models.online.scaling import Moments

LEARNING_RATE: Final = 0.05
EPSILON: Final = 1e-8  # AdaGrad's: no step is divided by nothing

Known = list[tuple["Weight", float]]


class Weight(Moments):
    """A feature's moments, its weight, and the sum of its squared gradients."""

    __slots__ = ("g2", "weight")

    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.weight = 0.0
        self.g2 = 0.0


class Logit:
    """Corrects an offset; the weights are in the scaler's parts, beside the moments."""

    def __init__(self) -> None:
        self.intercept = 0.0
        self.g2 = 0.0  # the intercept's

    def correction(self, known: Known) -> float:
        """Return what to add to the offset's logit."""
        logit = self.intercept
        for part, distance in known:
            logit += part.weight * distance
        return logit

    def learn_one(self, known: Known, slope: float) -> None:
        """Learn one example; `slope` is its probability less its label."""
        self.g2 += slope * slope
        self.intercept -= LEARNING_RATE * slope / math.sqrt(self.g2 + EPSILON)
        for part, distance in known:
            gradient = slope * distance
            part.g2 = g2 = part.g2 + gradient * gradient
            part.weight -= LEARNING_RATE * gradient / math.sqrt(g2 + EPSILON)

    def to_state(self, parts: dict[str, Weight]) -> dict[str, Any]:
        """Return the intercept and the weights, as JSON types."""
        weights = {name: [part.weight, part.g2] for name, part in parts.items()}
        return {"intercept": self.intercept, "g2": self.g2, "weights": weights}

    @classmethod
    def from_state(cls, state: dict[str, Any], parts: dict[str, Weight]) -> Self:
        """Return what `to_state` wrote, its weights in `parts`."""
        model = cls()
        model.intercept, model.g2 = float(state["intercept"]), float(state["g2"])
        for name, (weight, g2) in state["weights"].items():
            parts[name].weight, parts[name].g2 = weight, g2
        return model
