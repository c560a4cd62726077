"""The churn model, as a River classifier; what it computes is in `models.online.logit`."""

from __future__ import annotations

from typing import Any, Self

from river.base import Classifier

from models.online.logit import Logit


class ChurnModel(Classifier):  # type: ignore[misc]  # River comes without types
    """Learns P(no contact within the horizon); `learnt` counts examples: its version."""

    def __init__(self) -> None:
        self.logit = Logit()

    @property
    def learnt(self) -> int:
        """Examples learnt so far."""
        return self.logit.learnt

    def chance(self, features: dict[str, float]) -> float:
        """Return P(churn). Unknown features count nothing, missing ones are the mean."""
        return self.logit.chance(features)

    def predict_proba_one(self, x: dict[str, float], **_: Any) -> dict[bool, float]:
        """Return P of each label, as River's classifiers do; True: the customer stays away."""
        chance = self.chance(x)
        return {False: 1.0 - chance, True: chance}

    def learn_one(self, x: dict[str, float], y: float) -> None:
        """Learn one matured example; label `y` is 1 for stayed away, 0 for came back."""
        self.logit.learn_one(x, y)

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        return self.logit.to_state()

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the model that `to_state` wrote, bit for bit."""
        model = cls()
        model.logit = Logit.from_state(state)
        return model
