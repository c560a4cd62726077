"""The learner of `affinity`: what is bought together, and how often it was guessed right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from models.online.affinity import AffinityModel
from models.online.learning import Learner
from models.online.snapshots import Snapshot
from models.records import Example
from models.reports import Figures

EVERY: Final = 20  # baskets: of one in so many the last product is guessed before it is learnt
GUESSES: Final = 5


class AffinityLearner(Learner):
    """Counts baskets; tries itself on some, beside the products that sell most."""

    def __init__(
        self, model: str, before: Snapshot | None = None, kept: Mapping[int, bytes] | None = None
    ) -> None:
        self.tried = self.hits = self.popular = 0
        super().__init__(model, before, kept)

    def load(self, weights: dict[str, Any] | None, champion: str) -> None:
        """Go on with other counts; how good the guesses were is not forgotten."""
        self.baskets = AffinityModel() if weights is None else AffinityModel.from_state(weights)

    def learnt(self) -> int:
        """Return how many baskets were counted."""
        return self.baskets.learnt

    def learn_one(self, example: Example, features: dict[str, float], received_ms: int) -> bool:
        """Count one basket, unless frozen."""
        if self.progress.seen % EVERY == 0:
            self._try(features)
        if not self.frozen:
            self.baskets.learn_one(features)
        return not self.frozen

    def weights(self) -> dict[str, Any]:
        """Return the counts."""
        return self.baskets.to_state()

    def evaluation(self) -> dict[str, Any]:
        """Return how the guesses went."""
        return {"tried": self.tried, "hits": self.hits, "popular": self.popular}

    def resume_evaluation(self, before: Snapshot) -> None:
        """Go on with what `evaluation` returned."""
        told = before.evaluation
        self.tried, self.hits, self.popular = told["tried"], told["hits"], told["popular"]

    def figures(self) -> dict[str, Figures]:
        """Return how often the product was among the guesses, and among the best sellers."""
        model = self.baskets
        metrics = {
            "examples": float(model.learnt),
            "products": float(len(model.products)),
            "pairs": float(len(model.pairs)),
        }
        if self.tried:
            metrics["hit_rate"] = self.hits / self.tried
            metrics["hit_rate_popular"] = self.popular / self.tried
        return {"served": Figures(metrics=metrics)}

    def _try(self, features: dict[str, float]) -> None:
        bought = sorted(name for name, value in features.items() if value >= 0.5)
        if not bought or len(features) < 2 or not self.baskets.products:
            return
        rest = features.keys() - {bought[-1]}
        guesses = [one.product for one in self.baskets.goes_with(rest, GUESSES)]
        self.tried += 1
        self.hits += bought[-1] in guesses
        self.popular += bought[-1] in self.baskets.popular(rest, GUESSES)
