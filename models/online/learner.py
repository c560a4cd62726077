"""Step 7's core, learn: examples in log order -> a newer model, and how good it was.

The snapshot keeps the offset of the newest example learnt, so one that is delivered
again is not learnt again. Same log, same weights, bit for bit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, NamedTuple

from models.online.churn import ChurnModel
from models.online.evaluation import Evaluation
from models.online.offers import OfferModel
from models.online.scaling import MOST
from models.online.snapshots import Snapshot
from models.records import Example

CHURN = "churn"
OFFERS = "offers"
MODELS = (CHURN, OFFERS)


class Lesson(NamedTuple):
    """An example where it was found, with its features read."""

    offset: int
    example: Example
    features: dict[str, float]


class Learner(ABC):
    """One model while it learns; `offset` is that of the newest example learnt."""

    def __init__(self, offset: int) -> None:
        self.offset = offset

    def learn(self, lessons: Iterable[Lesson]) -> bool:
        """Learn those lessons that are new, in order; tell whether there were any."""
        before = self.offset
        for lesson in lessons:
            if lesson.offset > self.offset:
                self.learn_one(lesson.example, lesson.features)
                self.offset = lesson.offset
        return self.offset > before

    @abstractmethod
    def learn_one(self, example: Example, features: dict[str, float]) -> None:
        """Learn one example."""

    @abstractmethod
    def snapshot(self) -> Snapshot:
        """Return the model as it stands."""


def resume(model: str, before: Snapshot | None) -> Learner:
    """Return the learner of one of MODELS, as it was when `before` was taken."""
    return _LEARNERS[model](before)


class _Churn(Learner):
    def __init__(self, before: Snapshot | None) -> None:
        if before is None:
            super().__init__(-1)
            self.model, self.evaluation = ChurnModel(), Evaluation()
        else:
            super().__init__(before.offset)
            self.model = ChurnModel.from_state(before.state)
            self.evaluation = Evaluation.from_state(before.evaluation)

    def learn_one(self, example: Example, features: dict[str, float]) -> None:
        self.evaluation.update(example.probability, example.label)
        self.model.learn_one(features, example.label)

    def snapshot(self) -> Snapshot:
        return Snapshot(
            model=CHURN,
            version=self.model.learnt,
            offset=self.offset,
            state=self.model.to_state(),
            evaluation=self.evaluation.to_state(),
            metrics=self.evaluation.metrics(),
        )


class _Offers(Learner):
    def __init__(self, before: Snapshot | None) -> None:
        self.arms: dict[str, list[Any]]  # arm -> times made, sum of rewards
        if before is None:
            super().__init__(-1)
            self.model, self.arms = OfferModel(), {}
        else:
            super().__init__(before.offset)
            self.model, self.arms = OfferModel.from_state(before.state), before.evaluation

    def learn_one(self, example: Example, features: dict[str, float]) -> None:
        arm = example.arm or "none"
        if arm in self.arms or len(self.arms) < MOST:
            made, reward = self.arms.get(arm, (0, 0.0))
            self.arms[arm] = [made + 1, reward + example.label]
        self.model.learn_one(features, arm, example.label)

    def snapshot(self) -> Snapshot:
        made = sum(count for count, _ in self.arms.values())
        rewards = {f"reward_{arm}": reward / count for arm, (count, reward) in self.arms.items()}
        return Snapshot(
            model=OFFERS,
            version=self.model.learnt,
            offset=self.offset,
            state=self.model.to_state(),
            evaluation=dict(self.arms),
            metrics={"examples": float(made), **rewards},
        )


_LEARNERS: dict[str, type[_Churn] | type[_Offers]] = {CHURN: _Churn, OFFERS: _Offers}
