"""River's own pipeline, StandardScaler | LogisticRegression(AdaGrad): the honest yardstick.

Its state is read out as JSON and put back without pickle. River knows no bounds, so its
input has them: values that the shared scaler has tamed, and distances cut as the others' are.
"""

from __future__ import annotations

import math
from typing import Any, Self

from models.online.logit import LEARNING_RATE
from models.online.served import SPREAD, Term

INTERCEPT_RATE = 0.01  # River's own


class RiverPipeline:
    """River's classes, with their state as JSON."""

    def __init__(self) -> None:
        # Imported by who learns alone: SciPy and pandas behind it take a second to load.
        from river import optim
        from river.linear_model import LogisticRegression
        from river.preprocessing import StandardScaler

        self.scaler = StandardScaler()
        self.regression = LogisticRegression(
            optim.AdaGrad(LEARNING_RATE), intercept_lr=INTERCEPT_RATE
        )

    def transform_one(self, x: dict[str, float]) -> dict[str, float]:
        """Return the distances of bounded values, by River's scaler; of known names only."""
        # River's tables make an entry for whatever is asked of them.
        counts = self.scaler.counts
        known = {name: value for name, value in x.items() if name in counts}
        return {
            name: value if -SPREAD <= value <= SPREAD else math.copysign(SPREAD, value)
            for name, value in self.scaler.transform_one(known).items()
        }

    def chance(self, distances: dict[str, float]) -> float:
        """Return P(label is 1), from distances."""
        return float(self.regression.predict_proba_one(distances)[True])

    def learn_one(self, x: dict[str, float], distances: dict[str, float], label: bool) -> None:
        """Learn one example, from the distances that it was predicted by."""
        self.regression.learn_one(distances, label)
        self.scaler.learn_one(x)

    def terms(self) -> dict[str, Term]:
        """Return each feature's mean, scale and weight."""
        weights = self.regression.weights
        return {
            name: (
                float(mean),
                1.0 / math.sqrt(variance) if (variance := self.scaler.vars[name]) > 0.0 else 0.0,
                float(weights.get(name, 0.0)),
            )
            for name, mean in self.scaler.means.items()
        }

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        optimizer = self.regression.optimizer
        return {
            "counts": dict(self.scaler.counts),
            "means": dict(self.scaler.means),
            "vars": dict(self.scaler.vars),
            "weights": dict(self.regression.weights),
            "intercept": self.regression.intercept,
            "g2": dict(optimizer.g2),
            "steps": optimizer.n_iterations,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the pipeline that `to_state` wrote, bit for bit."""
        from river.utils import VectorDict

        pipeline = cls()
        scaler = type(pipeline.scaler)
        pipeline.scaler = scaler._from_state(state["counts"], state["means"], state["vars"])
        regression = pipeline.regression
        regression._weights = VectorDict(state["weights"])
        regression.intercept = state["intercept"]
        regression.optimizer.g2.update(state["g2"])
        regression.optimizer.n_iterations = state["steps"]
        return pipeline
