"""What the candidates say together, learnt in two manners: a cautious and a bold one.

How much labels tell of whom to trust nobody knows beforehand: examples of one customer say much
the same, and then to be bold is to chase chance; where each is news, to be cautious is to learn
too late. So two stacks (`models.online.stacking`) learn the same, and their logits are mixed by
how well each told the labels so far, with fixed share (Herbster & Warmuth 1998), as `bayes` does
with its memories. Behind them stands `models.online.calibration`.
"""

from __future__ import annotations

from typing import Any, Self

from models.online.calibration import AS_IT_IS, Calibration, Curve
from models.online.scaling import log_loss, trusted
from models.online.stacking import START, Manner, Stack, Sum, between, logit_of

CAUTIOUS = Manner(rate=0.25, share=1e-4, line=2.5e-3, beyond=7.5e-3)
BOLD = Manner(rate=1.0, share=1e-3, line=1e-2, beyond=2e-2)
TRUST = 0.1  # in the bold one, before any label
RATE = 0.5  # what an example's loss counts between the two
SHARE = 3e-3  # chance that the other one becomes the better, at each example


class Blend:
    """Two stacks, the trust in the bold one, the calibration behind."""

    def __init__(self) -> None:
        self.cautious = Stack(CAUTIOUS)
        self.bold = Stack(BOLD)
        self.trust = TRUST
        self._calibration = Calibration()
        self._parts: Sum = (0.0, {})
        self._curve = AS_IT_IS
        self._settle()

    def parts(self) -> Sum:
        """Return the shift, and what each candidate's logit counts, before calibration."""
        return self._parts

    def curve(self) -> Curve:
        """Return the calibration of their sum."""
        return self._curve

    def logit(self, logits: dict[str, float]) -> float:
        """Return what the candidates say together."""
        return self._curve.at(logit_of(self._parts, logits))

    def learn_one(self, logits: dict[str, float], label: float, weight: float = 1.0) -> None:
        """Take in what the candidates said of an example; `weight`: what it counts."""
        self._calibration.learn_one(logit_of(self._parts, logits), label, weight)
        calm, bold = (logit_of(one.parts(), logits) for one in (self.cautious, self.bold))
        losses = {name: log_loss(logits[name], label) for name in START}
        self.cautious.learn_one(logits, losses, label, weight)
        self.bold.learn_one(logits, losses, label, weight)
        gain = weight * RATE * (log_loss(calm, label) - log_loss(bold, label))
        self.trust = trusted(self.trust, gain, SHARE, TRUST)
        self._settle()

    def _settle(self) -> None:
        """Say anew what counts how much."""
        self._parts = between(self.cautious.parts(), self.bold.parts(), self.trust)
        self._curve = self._calibration.curve()

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        return {
            "trust": self.trust,
            "cautious": self.cautious.to_state(),
            "bold": self.bold.to_state(),
            "calibration": self._calibration.to_state(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the blend that `to_state` wrote."""
        blend = cls()
        # Up to format 7 there was one stack: both go on from it.
        blend.cautious = Stack.from_state(state.get("cautious", state), CAUTIOUS)
        blend.bold = Stack.from_state(state.get("bold", state), BOLD)
        blend.trust = float(state.get("trust", TRUST))
        if "calibration" in state:  # of format 3 there was none
            blend._calibration = Calibration.from_state(state["calibration"])
        blend._settle()
        return blend
