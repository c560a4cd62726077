"""Step 7's core, learn: examples in log order -> a newer model, and how good it was.

The snapshot keeps the offset of the newest example learnt, so one that is delivered
again is not learnt again. Same log, same weights, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from models.online.churn import ChurnModel
from models.online.evaluation import Evaluation
from models.online.offers import OfferModel
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


def learn(model: str, before: Snapshot | None, lessons: Iterable[Lesson]) -> Snapshot | None:
    """Return the snapshot after the lessons; the same one if none was new.

    `model` is one of MODELS. Raises KeyError for another.
    """
    learner = _LEARNERS[model](before)
    offset = newest = -1 if before is None else before.offset
    for lesson in lessons:
        if lesson.offset > newest:
            learner.learn_one(lesson.example, lesson.features)
            newest = lesson.offset
    return before if newest == offset else learner.snapshot(newest)


class _Churn:
    def __init__(self, before: Snapshot | None) -> None:
        self.model = ChurnModel() if before is None else ChurnModel.from_state(before.state)
        self.evaluation = (
            Evaluation() if before is None else Evaluation.from_state(before.evaluation)
        )

    def learn_one(self, example: Example, features: dict[str, float]) -> None:
        self.evaluation.update(example.probability, example.label)
        self.model.learn_one(features, example.label)

    def snapshot(self, offset: int) -> Snapshot:
        return Snapshot(
            model=CHURN,
            version=self.model.learnt,
            offset=offset,
            state=self.model.to_state(),
            evaluation=self.evaluation.to_state(),
            metrics=self.evaluation.metrics(),
        )


class _Offers:
    def __init__(self, before: Snapshot | None) -> None:
        self.model = OfferModel() if before is None else OfferModel.from_state(before.state)
        self.arms: dict[str, Any] = {} if before is None else dict(before.evaluation)

    def learn_one(self, example: Example, features: dict[str, float]) -> None:
        arm = example.arm or "none"
        made, reward = self.arms.get(arm, (0, 0.0))
        self.arms[arm] = [made + 1, reward + example.label]
        self.model.learn_one(features, arm, example.label)

    def snapshot(self, offset: int) -> Snapshot:
        made = sum(count for count, _ in self.arms.values())
        rewards = {f"reward_{arm}": reward / count for arm, (count, reward) in self.arms.items()}
        return Snapshot(
            model=OFFERS,
            version=self.model.learnt,
            offset=offset,
            state=self.model.to_state(),
            evaluation=self.arms,
            metrics={"examples": float(made), **rewards},
        )


_LEARNERS: dict[str, type[_Churn] | type[_Offers]] = {CHURN: _Churn, OFFERS: _Offers}
