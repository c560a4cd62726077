"""The learner of `offers`: what each arm earned, and the model that decides by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.online.learning import Learner
from models.online.offers import OfferModel
from models.online.scaling import MOST
from models.online.snapshots import Snapshot
from models.records import Example
from models.reports import Figures


class OffersLearner(Learner):
    """The offer model, and by arm how often it was made and what came of it."""

    def __init__(
        self, model: str, before: Snapshot | None = None, kept: Mapping[int, bytes] | None = None
    ) -> None:
        self.arms: dict[str, list[Any]] = {}  # arm -> times made, sum of rewards
        super().__init__(model, before, kept)

    def load(self, weights: dict[str, Any] | None, champion: str) -> None:
        """Go on with another state; what the arms earned is not forgotten."""
        self.offers = OfferModel() if weights is None else OfferModel.from_state(weights)

    def learnt(self) -> int:
        """Return how many outcomes the weights have learnt."""
        return self.offers.learnt

    def learn_one(self, example: Example, features: dict[str, float], received_ms: int) -> bool:
        """Count one outcome; learn it, unless frozen."""
        arm = example.arm or "none"
        if arm in self.arms or len(self.arms) < MOST:
            made, reward = self.arms.get(arm, (0, 0.0))
            self.arms[arm] = [made + 1, reward + example.label]
        if not self.frozen:
            self.offers.learn_one(features, arm, example.label)
        return not self.frozen

    def weights(self) -> dict[str, Any]:
        """Return the offer model's state."""
        return self.offers.to_state()

    def evaluation(self) -> dict[str, Any]:
        """Return what each arm earned."""
        return {"arms": self.arms}

    def resume_evaluation(self, before: Snapshot) -> None:
        """Go on with what `evaluation` returned."""
        self.arms = before.evaluation["arms"]

    def figures(self) -> dict[str, Figures]:
        """Return, by arm and in all ("served"), how many outcomes and their mean reward."""
        made = sum(count for count, _ in self.arms.values())
        earned = sum(reward for _, reward in self.arms.values())
        whole = {"examples": float(made)} | ({"reward": earned / made} if made else {})
        by_arm = {
            arm: Figures(metrics={"examples": float(count), "reward": reward / count})
            for arm, (count, reward) in self.arms.items()
        }
        return {"served": Figures(metrics=whole)} | by_arm
