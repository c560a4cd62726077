"""Step 6's core, learn: a model's log -> a newer model, and how good it is.

Who learns which model. The snapshot keeps the offset of the newest record taken, so one that
is delivered again is not taken again. Same log, same weights, bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from models.online.affinity import AFFINITY
from models.online.learning import Learner
from models.online.learning_affinity import AffinityLearner
from models.online.learning_binary import BinaryLearner
from models.online.learning_fitted import FittedLearner
from models.online.learning_offers import OffersLearner
from models.online.lessons import Lesson, Order, read_lesson
from models.online.snapshots import Snapshot

__all__ = (
    "AFFINITY",
    "BINARY",
    "CHURN",
    "CONTRACT",
    "MODELS",
    "OFFERS",
    "POPULATION",
    "Learner",
    "Lesson",
    "Order",
    "read_lesson",
    "resume",
)

CHURN = "churn"  # customers without a contract
CONTRACT = "contract"  # customers with one
OFFERS = "offers"
POPULATION = "population"
BINARY: Final = (CHURN, CONTRACT)  # candidates, a champion, calibration

_LEARNERS: Final[dict[str, type[Learner]]] = {
    CHURN: BinaryLearner,
    CONTRACT: BinaryLearner,
    OFFERS: OffersLearner,
    POPULATION: FittedLearner,
    AFFINITY: AffinityLearner,
}
MODELS: Final = tuple(_LEARNERS)


def resume(
    model: str, before: Snapshot | None = None, kept: Mapping[int, bytes] | None = None
) -> Learner:
    """Return the learner of one of MODELS, as it was when `before` was taken.

    `kept`: its earlier states by version, JSON of `Kept`; those that are missing are forgotten.
    """
    return _LEARNERS[model](model, before, kept)
