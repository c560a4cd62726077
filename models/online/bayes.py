"""Bayesian online logistic regression with full covariance, of the features that came first.

Where labels are few it makes more of each than first order does: correlated features share
what is learnt, and a weight's step is as long as its doubt. How fast the world moves nobody
knows beforehand. So two posteriors learn the same: one hardly forgets, which is best while all
stays as it is; the other forgets fast, so that it follows a turn. Their logits are mixed by how
well each told the newest labels (dynamic model averaging: Raftery, Kárný & Ettler 2010). What
is hardly believed any more does not wait until it has forgotten: it goes on from what the
other one knows.
"""

from __future__ import annotations

from typing import Any, Final, Self

from librt.vecs import vec
from mypy_extensions import i64

from models.online import vectors
from models.online.posterior import Posterior
from models.online.scaling import log_loss, trusted

TERMS: Final = 128  # features, the first that came: the covariance is a square of them
VARIANCE: Final = 0.1  # of a feature's weight, by the prior
INTERCEPT_VARIANCE: Final = 1.0
SLOW: Final = 1e-4  # of the covariance, at each fading: 1,000 examples' worth of doubt count
FAST: Final = 5e-2  # some 50 count: few hundred examples where labels are even
TRUST: Final = 0.1  # in the one that forgets fast, before any label
SHARE: Final = 3e-3  # chance that the other one becomes the better, at each example
OVERTAKEN: Final = 0.99  # the trust in the fast one at which the slow one goes on from it


class Bayes:
    """Corrects an offset. Terms in this order: the intercept, the features by place."""

    def __init__(self) -> None:
        self.trust = TRUST
        self.slow = Posterior(SLOW, [INTERCEPT_VARIANCE])
        self.fast = Posterior(FAST, [INTERCEPT_VARIANCE])

    def reach(self, features: int) -> None:
        """Make room for so many features, up to TERMS."""
        while (size := len(self.slow.means)) <= min(features, TERMS):
            self.slow.insert(size, VARIANCE)
            self.fast.insert(size, VARIANCE)

    def terms(self, distances: vec[float]) -> vec[float]:
        """Return the terms' values, by distances by place."""
        size: i64 = len(self.slow.means)
        terms = vectors.zeros(size)
        terms[0] = 1.0
        for place in range(1, size):
            terms[place] = distances[place - 1]
        return terms

    def weights(self) -> list[float]:
        """Return the terms' weights as both say together."""
        trust = self.trust
        pairs = zip(self.slow.weights(), self.fast.weights(), strict=True)
        return [slow + trust * (fast - slow) for slow, fast in pairs]

    def correction(self, terms: vec[float]) -> float:
        """Return the terms' sum as both say together."""
        slow = self.slow.correction(terms)
        return slow + self.trust * (self.fast.correction(terms) - slow)

    def learn_one(self, terms: vec[float], offset: float, label: float) -> None:
        """Take in one example, which began at `offset`."""
        slow = offset + self.slow.correction(terms)
        fast = offset + self.fast.correction(terms)
        self.slow.learn_one(terms, slow, label)
        self.fast.learn_one(terms, fast, label)
        gain = log_loss(slow, label) - log_loss(fast, label)
        self.trust = trusted(self.trust, gain, SHARE, TRUST)
        if self.trust > OVERTAKEN:
            self.slow = self.fast.copied(SLOW)
            self.trust = TRUST

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        return {
            "trust": self.trust,
            "slow": self.slow.to_state(),
            "fast": self.fast.to_state(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the model that `to_state` wrote, bit for bit."""
        model = cls()
        if "slow" not in state:  # up to format 6 there was one posterior
            model.slow = Posterior.from_state(state, SLOW)
            model.fast = Posterior.from_state(state, FAST)
            return model
        model.trust = float(state["trust"])
        model.slow = Posterior.from_state(state["slow"], SLOW)
        model.fast = Posterior.from_state(state["fast"], FAST)
        return model
