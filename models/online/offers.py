"""The offer model: P(conversion) of each arm in a context, and how unsure that is.

A Bayesian logistic regression an arm, with diagonal covariance (Chapelle & Li
2011), over a level that the arms share, so that a new arm starts where the others
are. `propensities` turns doubt into Thompson sampling's probabilities; the arm is
drawn from just those, so what is logged is what was drawn from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.online.scaling import MOST, Moments, Scaler, sigmoid

BIAS = "bias"
START = -2.2  # the shared level before anything was learnt: one in ten converts
LEVEL_VARIANCE = 1.0
BIAS_VARIANCE = 0.5
WEIGHT_VARIANCE = 0.05
SPREAD = 3.0  # contexts are cut at this many standard deviations


class _Arm:
    """One arm's weights: mean and precision by row, the bias first, then features by place.

    A precision of 0: nothing was learnt about this feature yet.
    """

    __slots__ = ("means", "precisions")

    def __init__(self) -> None:
        self.means: list[float] = []
        self.precisions: list[float] = []

    def reach(self, rows: int) -> None:
        """Make room for so many rows."""
        more = [0.0] * (rows - len(self.means))
        self.means += more
        self.precisions += more


class OfferModel:
    """Learns from (context, arm, reward 0..1); `learnt` counts examples: its version."""

    def __init__(self) -> None:
        self.learnt = 0
        self.scaler = Scaler(SPREAD, Moments)
        self.level = [START, 1.0 / LEVEL_VARIANCE]  # mean, precision
        self._arms: dict[str, _Arm] = {}
        # The arms side by side as columns, for predicting: brought up to date when asked for.
        self._columns: dict[str, int] = {}
        self._stale: set[str] = set()
        self._means, self._variances = np.zeros((0, 0)), np.zeros((0, 0))

    def predict_one(self, features: dict[str, float], arm: str) -> tuple[float, float]:
        """Return the mean and the variance of the arm's logit in this context."""
        means, variances = self.predict_arms(features, [arm])
        return float(means[0]), float(variances[0])

    def predict_arms(
        self, features: dict[str, float], arms: Sequence[str]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return means and variances of the arms' logits, in order, in one context."""
        if self._stale or not len(self._means):
            self._catch_up()
        mean, precision = self.level
        context = np.array([1.0, *self.scaler.vector(features)])[:, None]
        # Row by row, not a matrix product: the same sum on every processor.
        means = np.add.reduce(self._means * context, axis=0, initial=mean)
        spread = self._variances * (context * context)
        variances = np.add.reduce(spread, axis=0, initial=1.0 / precision)
        columns = [self._columns.get(arm, 0) for arm in arms]
        return means[columns], variances[columns]

    def learn_one(self, features: dict[str, float], arm: str, reward: float) -> None:
        """Learn one outcome: a step of the extended Kalman filter, each weight by itself."""
        self.learnt += 1
        if arm not in self._arms and len(self._arms) >= MOST:
            return
        known = self.scaler.learn_one(features)
        weights = self._arms.setdefault(arm, _Arm())
        weights.reach(1 + len(self.scaler.parts))
        means, precisions = weights.means, weights.precisions
        context = [(0, 1.0), *((part.place + 1, distance) for part, distance in known)]
        logit = self.level[0]
        for row, value in context:
            if not precisions[row]:
                precisions[row] = 1.0 / (WEIGHT_VARIANCE if row else BIAS_VARIANCE)
            logit += means[row] * value
        chance = sigmoid(logit)
        doubt, surprise = max(chance * (1.0 - chance), 1e-3), min(1.0, max(0.0, reward)) - chance
        self.level[1] += doubt
        self.level[0] += surprise / self.level[1]
        for row, value in context:
            precisions[row] += value * value * doubt
            means[row] += surprise * value / precisions[row]
        self._stale.add(arm)

    def _catch_up(self) -> None:
        """Bring the columns up to date. Column 0 is an arm that is new."""
        rows = 1 + len(self.scaler.parts)
        fresh = self._stale - self._columns.keys()
        if fresh or len(self._means) < rows:
            self._columns = {arm: column for column, arm in enumerate(self._arms, 1)}
            self._stale = set(self._arms)
            self._means, self._variances = np.zeros((2, rows, 1 + len(self._arms)))
            self._variances[0, 0] = BIAS_VARIANCE
        for arm in self._stale:
            weights, column = self._arms[arm], self._columns[arm]
            learnt = len(weights.means)
            self._means[:learnt, column] = weights.means
            self._variances[:learnt, column] = [p and 1.0 / p for p in weights.precisions]
        self._stale.clear()

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        names = [BIAS, *self.scaler.parts]
        return {
            "learnt": self.learnt,
            "scaler": self.scaler.to_state(),
            "level": list(self.level),
            "arms": {
                arm: {
                    name: [mean, precision]
                    for name, mean, precision in zip(names, own.means, own.precisions, strict=False)
                    if precision
                }
                for arm, own in self._arms.items()
            },
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the model that `to_state` wrote, bit for bit."""
        model = cls()
        model.learnt = int(state["learnt"])
        model.scaler = Scaler.from_state(state["scaler"], SPREAD, Moments)
        model.level = [float(part) for part in state["level"]]
        names = [BIAS, *model.scaler.parts]
        for arm, weights in state["arms"].items():
            own = model._arms[arm] = _Arm()
            own.reach(len(names))
            for row, name in enumerate(names):
                if name in weights:
                    own.means[row], own.precisions[row] = map(float, weights[name])
        return model
