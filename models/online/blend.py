"""Fixed-share aggregation (Herbster & Warmuth 1998) of candidates, and what they miss together.

The weights are those of a Bayesian mixture in which at each example, with a small chance,
another candidate becomes the best: so none is ever given up. What is mixed are logits, not
probabilities (a logarithmic opinion pool), so that a mixture of sums is one too. A mixture is
at best as good as its best member; several that know different things are better together. So
around it a logistic regression on the candidates' logits is learnt (stacking, Wolpert 1992),
as a posterior that starts at the mixture as it is: with few labels that is what it stays.
Behind all stands `models.online.calibration`.
"""

from __future__ import annotations

import math
from typing import Any, Self

from models.online.calibration import Calibration
from models.online.few import Few

RATE = 0.25  # what an example's loss counts: examples of one customer say much the same
SHARE = 1e-4  # chance of a change, at each example
LEAST = 0.01  # weights below it are left out of what is mixed: their crosses cost time
WORST = 12.0  # nats: no one example may count more
# What is believed before any label: the prior, which has learnt from other customers.
START = {"prior": 0.6, "logit": 0.1, "bayes": 0.1, "crosses": 0.1, "trees": 0.1}
SHARERS = tuple(START)
STACKED = SHARERS[1:]  # beside the mixture and the others the prior says nothing new
LINE_VARIANCE = 2.5e-3  # of the shift and of the stretch, by the prior: near 0 and 1
STACK_VARIANCE = 7.5e-3  # of what a candidate counts beyond its share of the mixture
FADE = 1e-3
SURE = 9.0  # squared z score from which on the trees count beyond their share: they cost time
Sum = tuple[float, dict[str, float]]  # a shift, and what each candidate's logit counts


class Blend:
    """The candidates' weights, which sum to 1, the regression around, the calibration behind."""

    def __init__(self) -> None:
        self.weights = dict(START)
        self._stack = Few(FADE, [LINE_VARIANCE] * 2 + [STACK_VARIANCE] * len(STACKED))
        self._calibration = Calibration()
        self._mix: dict[str, float] = {}
        self._plain: Sum = (0.0, {})  # before calibration
        self._served: Sum = (0.0, {})
        self._settle()

    def mix(self) -> dict[str, float]:
        """Return the weights that are mixed by: without those below LEAST, summing to 1."""
        return self._mix

    def parts(self) -> Sum:
        """Return the shift, and what each candidate's logit counts, all in all."""
        return self._served

    def logit(self, logits: dict[str, float]) -> float:
        """Return what the candidates say together."""
        return _of(self._served, logits)

    def learn_one(self, logits: dict[str, float], label: float) -> None:
        """Take in what the candidates said of an example."""
        mixed = sum(weight * logits[name] for name, weight in self._mix.items())
        self._calibration.learn_one(_of(self._plain, logits), label)
        terms = [1.0, mixed, *[logits[name] - mixed for name in STACKED]]
        self._stack.learn_one(terms, mixed + self._stack.correction(terms), label)
        weights = self.weights
        for name in weights:
            wrong = -logits[name] if label else logits[name]
            loss = math.log1p(math.exp(wrong)) if wrong < WORST else WORST
            weights[name] *= math.exp(-RATE * loss)
        total = sum(weights.values())
        for name, weight in weights.items():
            weights[name] = (1.0 - SHARE) * weight / total + SHARE * START[name]
        self._settle()

    def _settle(self) -> None:
        """Say anew what counts how much."""
        kept = {name: weight for name, weight in self.weights.items() if weight >= LEAST}
        total = sum(kept.values())
        self._mix = {name: weight / total for name, weight in kept.items()}
        means = self._stack.means
        shift, stretch, more = means[0], means[1], means[2:]
        if self._stack.strength(1 + len(STACKED)) < SURE:
            more[-1] = 0.0
        mixed = 1.0 + stretch - sum(more)
        parts = {name: mixed * weight for name, weight in self._mix.items()}
        for name, one in zip(STACKED, more, strict=True):
            if one:
                parts[name] = parts.get(name, 0.0) + one
        self._plain = (shift, parts)
        start, slope = self._calibration.line()
        self._served = (start + slope * shift, {name: slope * parts[name] for name in parts})

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        return {
            "weights": dict(self.weights),
            "stack": self._stack.to_state(),
            "calibration": self._calibration.to_state(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the blend that `to_state` wrote."""
        blend = cls()
        blend.weights = {name: float(state["weights"][name]) for name in START}
        blend._stack = Few.from_state(state["stack"], FADE)
        if "calibration" in state:  # of format 3 there was none
            blend._calibration = Calibration.from_state(state["calibration"])
        blend._settle()
        return blend


def _of(parts: Sum, logits: dict[str, float]) -> float:
    found, counted = parts
    for name, part in counted.items():
        found += part * logits[name]
    return found
