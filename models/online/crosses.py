"""Bayesian logistic regression on features, and on a few products of them chosen online.

Linear models lack interactions and bends. Now and then the strongest product that the
residuals go with (`models.online.search`) becomes a term, with a weight of 0 and a tight
prior, so that one chosen by chance does no harm; one that came to nothing makes room.
"""

from __future__ import annotations

from typing import Any, Final, Self

import numpy as np
from librt.vecs import vec
from mypy_extensions import i64

from models.online import vectors
from models.online.bayes import INTERCEPT_VARIANCE, TERMS, VARIANCE
from models.online.posterior import Posterior, pack, unpack
from models.online.search import CONSTANT, Column, Columns, Pair, Search

MOST: Final = 24  # products
LOOK_EVERY = 256  # examples
EAGER: Final = 16_384  # examples of which each is searched; later one in SPARED
SPARED: Final = 4
AT_ONCE = 3  # products that become terms at one look
STRONG = 14.0  # squared z score: one in 5,000 by chance
WEAK = 1.0  # a term's, below which it came to nothing
YOUNG = 2_048  # examples that a product is given
FADE = 1e-3  # of the covariance, at each fading: it has long to learn
CROSS_VARIANCE = 0.05  # of a product's weight, by the prior, were its mean square 1
SMALL = 0.02  # a mean square below it counts as this: no weight is free


class Crosses:
    """Terms in this order: the intercept, the products, the features by place."""

    def __init__(self) -> None:
        self.posterior = Posterior(FADE, [INTERCEPT_VARIANCE])
        self.features = 0
        self.pairs: list[Pair] = []
        self.usual: list[float] = []  # each product's mean since it became a term
        self.ages: list[float] = []  # examples since
        self._search = Search()
        self._arrange()

    def reach(self, features: int) -> None:
        """Make room for so many features, up to TERMS."""
        while self.features < min(features, TERMS):
            self.posterior.insert(len(self.posterior.means), VARIANCE)
            self._search.add(self.features)
            self.features += 1

    def terms(self, distances: vec[float]) -> vec[float]:
        """Return the terms' values, by distances by place."""
        products: i64 = 1 + len(self.pairs)
        terms = vectors.zeros(products + self.features)
        terms[0] = 1.0
        left, right = self._left, self._right
        for number in range(products - 1):
            terms[number + 1] = left.value(number, distances) * right.value(number, distances)
        for place in range(i64(self.features)):
            terms[products + place] = distances[place]
        return terms

    def learn_one(
        self,
        terms: vec[float],
        distances: vec[float],
        logit: float,
        surprise: float,
        label: float,
        weight: float = 1.0,
    ) -> None:
        """Take in one example of which `logit` was predicted; `surprise`: label less chance.

        `weight`: what it counts in the posterior; the search looks at each alike.
        """
        self.posterior.learn_one(terms, logit, label, weight)
        if self.posterior.learnt <= EAGER or not self.posterior.learnt % SPARED:
            self._search.note(distances, surprise)
        usual, ages = self.usual, self.ages
        for number in range(len(usual)):
            ages[number] += 1.0
            usual[number] += (terms[number + 1] - usual[number]) / ages[number]
        if not self.posterior.learnt % LOOK_EVERY:
            self._choose()

    def _choose(self) -> None:
        for number in reversed(range(len(self.pairs))):
            if self.ages[number] >= YOUNG and self.posterior.strength(1 + number) < WEAK:
                self._drop(number)
        added = 0
        for strength, pair, size in self._search.look():
            if strength < STRONG or added >= AT_ONCE:
                break
            if pair in self.pairs or pair[1] == CONSTANT:
                continue
            if len(self.pairs) >= MOST:
                weakest = min(range(MOST), key=lambda n: self.posterior.strength(1 + n))
                if 2.0 * self.posterior.strength(1 + weakest) > strength:
                    break
                self._drop(weakest)
            self.posterior.insert(1 + len(self.pairs), CROSS_VARIANCE / max(SMALL, size))
            self.pairs.append(pair)
            self.usual.append(0.0)
            self.ages.append(0.0)
            added += 1
        self._arrange()

    def _drop(self, number: int) -> None:
        self.posterior.remove(1 + number)
        del self.pairs[number], self.usual[number], self.ages[number]

    def _arrange(self) -> None:
        self._left = Columns([left for left, _ in self.pairs])
        self._right = Columns([right for _, right in self.pairs])

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        return {
            "posterior": self.posterior.to_state(),
            "search": self._search.to_state(),
            "pairs": [[*left, *right] for left, right in self.pairs],
            "usual": pack(np.array(self.usual)),
            "ages": pack(np.array(self.ages)),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the model that `to_state` wrote, bit for bit."""
        model = cls()
        model.posterior = Posterior.from_state(state["posterior"], FADE)
        model._search = Search.from_state(state["search"])
        model.pairs = [(Column(a, b), Column(c, d)) for a, b, c, d in state["pairs"]]
        model.usual = unpack(state["usual"]).tolist()
        model.ages = unpack(state["ages"]).tolist()
        model.features = len(model.posterior.means) - 1 - len(model.pairs)
        model._arrange()
        return model
