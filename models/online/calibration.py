"""Calibration of what serves: a curve of its logit, trusted once it has helped.

Platt's calibration (1999), online, with a bend: a logistic regression on the logit and on its
hyperbolic tangent, learnt as a posterior that starts at "as it is". An ensemble that is young, or
that copies itself, is not as sure as it may be, or surer, by a stretch; what is rarer than it was
is off by a shift; one that is sure of most and shy of few is off by a bend, between the ends.
Where nothing is wrong the regression would only add its noise. So it is mixed with the logit as
it is by fixed share (Herbster & Warmuth 1998): one part in a hundred until it has told labels
better.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, Self

from models.online.few import Few
from models.online.scaling import WORST, log_loss, trusted

VARIANCE = 0.06  # of the shift and of the stretch, by the prior
BEND = 0.5  # of the bend
FADE = 1e-2  # of the covariance, at each fading: some thousands of examples count
TRUST = 0.01  # what the regression counts before any label
RATE = 0.5  # what an example's loss counts: examples of one customer say much the same
SHARE = 3e-4  # chance that the other one becomes the better, at each example


class Curve(NamedTuple):
    """The calibrated logit is start + slope * logit + bend * tanh(logit). It never falls."""

    start: float
    slope: float
    bend: float

    def at(self, logit: float) -> float:
        """Return the calibrated logit."""
        return self.start + self.slope * logit + self.bend * math.tanh(logit)


AS_IT_IS = Curve(0.0, 1.0, 0.0)


class Calibration:
    """What a logit is moved by, and how far that is trusted."""

    def __init__(self) -> None:
        self.trust = TRUST
        self._moves = Few(FADE, [VARIANCE, VARIANCE, BEND])

    def curve(self) -> Curve:
        """Return what makes a logit the calibrated one."""
        shift, stretch, bend = self._moves.means
        slope = max(0.0, 1.0 + self.trust * stretch)
        return Curve(self.trust * shift, slope, max(-slope, self.trust * bend))

    def learn_one(self, logit: float, label: float, weight: float = 1.0) -> None:
        """Take in one example of which `logit` was said, before calibration; what it counts."""
        logit = min(WORST, max(-WORST, logit))
        terms = [1.0, logit, math.tanh(logit)]
        moved = logit + self._moves.correction(terms)
        self._moves.learn_one(terms, moved, label, weight)
        gain = weight * RATE * (log_loss(logit, label) - log_loss(moved, label))
        self.trust = trusted(self.trust, gain, SHARE, TRUST)

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        return {"trust": self.trust, "moves": self._moves.to_state()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the calibration that `to_state` wrote, bit for bit."""
        calibration = cls()
        calibration.trust = float(state["trust"])
        if "moves" in state:
            calibration._moves = Few.from_state(state["moves"], FADE)
        else:  # up to format 7 it was a line
            calibration._moves = Few.from_state(state["line"], FADE)
            calibration._moves.append(BEND)
        return calibration
