"""The learner of `offers`: what each arm earned, and the model that decides by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from models.catalogue import NONE
from models.online.drift import Watch, tell
from models.online.learning import Learner
from models.online.measures import REWARD
from models.online.offers import OfferModel, conversion
from models.online.scaling import MOST
from models.online.snapshots import Snapshot
from models.records import Example, Outcome, Reserved
from models.reports import Figures, Report

NOT_SAID = Outcome(decision_id="")


class OffersLearner(Learner):
    """The offer model, by arm how often it was made and what came of it, and whether it drifts."""

    def __init__(
        self, model: str, before: Snapshot | None = None, kept: Mapping[int, bytes] | None = None
    ) -> None:
        # Arm -> times made, conversions, and what they earned, costs taken off.
        self.arms: dict[str, list[Any]] = {}
        self.taken: dict[str, int] = {}  # of limited offers: see `OfferModel`
        self.watch = Watch(REWARD)
        super().__init__(model, before, kept)

    def load(self, weights: dict[str, Any] | None, champion: str) -> None:
        """Go on with another state; what the arms earned and what is in stock stay as they are."""
        self.offers = OfferModel() if weights is None else OfferModel.from_state(weights)
        self.offers.taken = self.taken

    def learnt(self) -> int:
        """Return how many outcomes the weights have learnt."""
        return self.offers.learnt

    def learn_one(self, example: Example, features: dict[str, float], received_ms: int) -> bool:
        """Count one outcome, hold it to what was believed of its arm; learn it, unless frozen."""
        arm, said = example.arm or NONE, example.outcome or NOT_SAID
        if arm in self.arms or len(self.arms) < MOST:
            made, converted, earned = self.arms.get(arm, (0, 0.0, 0.0))
            earned += said.margin - said.cost
            self.arms[arm] = [made + 1, converted + example.label, earned]
        if self.frozen:
            believed = conversion(*self.offers.predict_one(features, arm))
        else:
            margin = said.margin if example.label else None
            believed = self.offers.learn_one(features, arm, example.label, margin, said.half_life)
        tell(self, self.watch.update((example.label,), believed), example, received_ms)
        return not self.frozen

    def reserve(self, word: Reserved) -> None:
        """Note a unit that was promised, or is free again; frozen or not."""
        self.offers.take(word.offer, word.units)

    def weights(self) -> dict[str, Any]:
        """Return the offer model's state."""
        return self.offers.to_state()

    def evaluation(self) -> dict[str, Any]:
        """Return what each arm earned, what is taken of the stock, and the watch."""
        return {"arms": self.arms, "taken": self.taken, "watch": self.watch.to_state()}

    def resume_evaluation(self, before: Snapshot) -> None:
        """Go on with what `evaluation` returned."""
        self.arms = before.evaluation["arms"]
        self.taken = self.offers.taken = before.evaluation["taken"]
        if "watch" in before.evaluation:  # a snapshot may be from before there was one
            self.watch.resume(before.evaluation["watch"])

    def figures(self) -> dict[str, Figures]:
        """Return, by arm and in all ("served"): outcomes, the share that converted, money each."""
        whole = [sum(column) for column in zip(*self.arms.values(), strict=True)] or [0, 0.0, 0.0]
        return {"served": _figures(*whole)} | {
            arm: _figures(*told) for arm, told in self.arms.items()
        }

    def described(self, report: Report) -> Report:
        """Add whether rewards are what was predicted."""
        drifting = self.watch.open is not None
        return replace(report, drift=self.watch.means(), drifting=drifting)


def _figures(made: int, converted: float, earned: float) -> Figures:
    each = {"reward": converted / made, "earned": earned / made} if made else {}
    return Figures(metrics={"examples": float(made)} | each)
