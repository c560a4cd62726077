"""The learner of `affinity`: what is bought together, and how often it was guessed right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from models.online.affinity import AffinityModel
from models.online.drift import Edge, Watch, tell
from models.online.learning import Learner
from models.online.measures import HITS
from models.online.snapshots import Snapshot
from models.records import Example
from models.reports import Figures, Report

EVERY: Final = 20  # baskets: of one in so many the last product is guessed before it is learnt
GUESSES: Final = 5


class AffinityLearner(Learner):
    """Counts baskets; tries itself on some, beside the products that sell most; watches that."""

    def __init__(
        self, model: str, before: Snapshot | None = None, kept: Mapping[int, bytes] | None = None
    ) -> None:
        self.tried = self.hits = self.popular = 0
        self.watch = Watch(HITS)
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
            tell(self, self._try(features), example, received_ms)
        if not self.frozen:
            self.baskets.learn_one(features)
        return not self.frozen

    def weights(self) -> dict[str, Any]:
        """Return the counts."""
        return self.baskets.to_state()

    def evaluation(self) -> dict[str, Any]:
        """Return how the guesses went, and the watch."""
        told = {"tried": self.tried, "hits": self.hits, "popular": self.popular}
        return told | {"watch": self.watch.to_state()}

    def resume_evaluation(self, before: Snapshot) -> None:
        """Go on with what `evaluation` returned."""
        told = before.evaluation
        self.tried, self.hits, self.popular = told["tried"], told["hits"], told["popular"]
        if "watch" in told:  # a snapshot may be from before there was one
            self.watch.resume(told["watch"])

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

    def described(self, report: Report) -> Report:
        """Add whether the guesses got worse."""
        drifting = self.watch.open is not None
        return replace(report, drift=self.watch.means(), drifting=drifting)

    def _try(self, features: dict[str, float]) -> Edge | None:
        bought = sorted(name for name, value in features.items() if value >= 0.5)
        if not bought or len(features) < 2 or not self.baskets.products:
            return None
        rest = features.keys() - {bought[-1]}
        hit = bought[-1] in (one.product for one in self.baskets.goes_with(rest, GUESSES))
        self.tried += 1
        self.hits += hit
        self.popular += bought[-1] in self.baskets.popular(rest, GUESSES)
        return self.watch.update((float(hit),))
