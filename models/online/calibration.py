"""Calibration of what serves: a shift and a stretch of its logit, trusted once they have helped.

Platt's calibration (1999), online: a logistic regression on the one logit, learnt as a posterior
that starts at "as it is". An ensemble that is young, or that copies itself, is not as sure as it
may be, or surer, by a stretch; what is rarer than it was is off by a shift. Where nothing is
wrong the regression would only add its noise. So it is mixed with the logit as it is by fixed
share (Herbster & Warmuth 1998): one part in a hundred until it has told labels better.
"""

from __future__ import annotations

import math
from typing import Any, Self

from models.online.few import Few

VARIANCE = 0.06  # of the shift and of the stretch, by the prior
FADE = 1e-2  # of the covariance, at each fading: some thousands of examples count
TRUST = 0.01  # what the regression counts before any label
RATE = 0.5  # what an example's loss counts: examples of one customer say much the same
SHARE = 3e-4  # chance that the other one becomes the better, at each example
WORST = 12.0  # a logit, and nats, beyond which no one example may count more


class Calibration:
    """What is added to a logit, and by what part of itself it is stretched."""

    def __init__(self) -> None:
        self.trust = TRUST
        self._line = Few(FADE, [VARIANCE, VARIANCE])

    def line(self) -> tuple[float, float]:
        """Return a and b of a + b * logit, which is the calibrated logit."""
        shift, stretch = self._line.means
        return self.trust * shift, 1.0 + self.trust * stretch

    def learn_one(self, logit: float, label: float) -> None:
        """Take in one example of which `logit` was said, before calibration."""
        logit = min(WORST, max(-WORST, logit))
        terms = [1.0, logit]
        moved = logit + self._line.correction(terms)
        self._line.learn_one(terms, moved, label)
        gain = RATE * (_loss(logit, label) - _loss(moved, label))
        odds = self.trust / (1.0 - self.trust) * math.exp(gain)
        self.trust = (1.0 - SHARE) * odds / (1.0 + odds) + SHARE * TRUST

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        return {"trust": self.trust, "line": self._line.to_state()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the calibration that `to_state` wrote, bit for bit."""
        calibration = cls()
        calibration.trust = float(state["trust"])
        calibration._line = Few.from_state(state["line"], FADE)
        return calibration


def _loss(logit: float, label: float) -> float:
    wrong = -logit if label >= 0.5 else logit
    return math.log1p(math.exp(wrong)) if wrong < WORST else WORST
