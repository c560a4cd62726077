"""A stable of candidates for one binary model, all taught by the same examples in one order.

Each predicts an example before it learns it, so all can be compared at any time. They share
one scaler and start from one offset (the lifetime prior, or the base rate where no feature
carries a prior) and learn what corrects it: with few labels all are the prior.
"""

from __future__ import annotations

import math
from typing import Any, Self

from models.online.logit import FirstOrder, Weight
from models.online.scaling import Scaler, sigmoid
from models.online.served import PRIOR, SPREAD, Served, prior_of

CANDIDATES: tuple[str, ...] = ("prior", "logit")


class Stable:
    """The candidates by name; `learnt` counts examples: their version."""

    def __init__(self) -> None:
        self.learnt = 0
        self.positives = 0
        self.scaler = Scaler(SPREAD, Weight)
        self.logit = FirstOrder()

    def chance(self, candidate: str, x: dict[str, float]) -> float:
        """Return P(label is 1) by one of CANDIDATES. Raises KeyError on another name."""
        return self.chances(x)[candidate]

    def chances(self, x: dict[str, float]) -> dict[str, float]:
        """Return P(label is 1) by each candidate."""
        known = self.scaler.distances(x)
        offset = self._offset(x)
        return {"prior": sigmoid(offset), "logit": sigmoid(offset + self.logit.correction(known))}

    def learn_one(self, x: dict[str, float], y: float) -> dict[str, float]:
        """Learn one example, label `y` 1 or 0; return each candidate's P before learning it."""
        positive = y >= 0.5
        offset = self._offset(x)
        known = self.scaler.observe(x)
        chances = {
            "prior": sigmoid(offset),
            "logit": sigmoid(offset + self.logit.correction(known)),
        }
        self.logit.learn_one(known, chances["logit"] - positive)
        self.learnt += 1
        self.positives += positive
        return chances

    def served(self, candidate: str) -> Served:
        """Return one of CANDIDATES as scorers take it. Raises KeyError on another name."""
        terms = {
            name: (part.mean, part.scale, part.weight if candidate == "logit" else 0.0)
            for name, part in self.scaler.parts.items()
        }
        prior = self._prior_mean()
        shift = {"prior": 0.0, "logit": self.logit.intercept}[candidate]
        return Served(
            candidate=candidate,
            learnt=self.learnt,
            intercept=shift + (self._base() if prior is None else 0.0),
            prior=0.0 if prior is None else 1.0,
            prior_mean=prior or 0.0,
            terms=terms,
        )

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        parts = self.scaler.parts
        return {
            "learnt": self.learnt,
            "positives": self.positives,
            "scaler": self.scaler.to_state(),
            "logit": self.logit.to_state(parts),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the stable that `to_state` wrote, bit for bit."""
        stable = cls()
        stable.learnt = int(state["learnt"])
        stable.positives = int(state["positives"])
        stable.scaler = Scaler.from_state(state["scaler"], SPREAD, Weight)
        stable.logit = FirstOrder.from_state(state["logit"], stable.scaler.parts)
        return stable

    def _offset(self, x: dict[str, float]) -> float:
        """Return the logit that all start from: the prior's, where features carry one."""
        prior = prior_of(x) if PRIOR in x else None
        if prior is not None:
            return prior
        usual = self._prior_mean()
        return self._base() if usual is None else usual

    def _prior_mean(self) -> float | None:
        """Return the prior's usual logit; None where features carry none."""
        part = self.scaler.parts.get(PRIOR)
        if part is None:
            return None if self.learnt else 0.0
        return part.mean

    def _base(self) -> float:
        """Return the logit of the labels' rate so far (with Jeffreys' half a label of each)."""
        return math.log((self.positives + 0.5) / (self.learnt - self.positives + 0.5))
