"""River's LogisticRegression with River's AdaGrad: the honest yardstick.

It stands behind the shared scaler, whose moments and distances are those that River's own
StandardScaler would have; so it is River's usual pipeline, at half of its price. Its state is
read out as JSON and put back without pickle.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from models.online.logit import LEARNING_RATE
from models.online.scaling import Moments
from models.online.shares import Term

INTERCEPT_RATE = 0.01  # River's own


class RiverPipeline:
    """River's classes, with their state as JSON."""

    def __init__(self) -> None:
        # Imported by who learns alone: SciPy behind it takes a second to load.
        from river import optim
        from river.linear_model import LogisticRegression

        self.regression = LogisticRegression(
            optim.AdaGrad(LEARNING_RATE), intercept_lr=INTERCEPT_RATE
        )

    def chance(self, distances: dict[str, float]) -> float:
        """Return P(label is 1), from distances by name."""
        return float(self.regression.predict_proba_one(distances)[True])

    def learn_one(self, distances: dict[str, float], label: bool) -> None:
        """Learn one example, from the distances that it was predicted by."""
        self.regression.learn_one(distances, label)

    def terms(self, parts: Mapping[str, Moments]) -> dict[str, Term]:
        """Return each feature's mean, scale and weight."""
        weights = self.regression.weights
        return {
            name: (part.mean, part.scale, float(weights.get(name, 0.0)))
            for name, part in parts.items()
        }

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        optimizer = self.regression.optimizer
        return {
            "weights": dict(self.regression.weights),
            "intercept": self.regression.intercept,
            "g2": dict(optimizer.g2),
            "steps": optimizer.n_iterations,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the regression that `to_state` wrote, bit for bit."""
        from river.utils import VectorDict

        pipeline = cls()
        regression = pipeline.regression
        regression._weights = VectorDict(state["weights"])
        regression.intercept = state["intercept"]
        regression.optimizer.g2.update(state["g2"])
        regression.optimizer.n_iterations = state["steps"]
        return pipeline
