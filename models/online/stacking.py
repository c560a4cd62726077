"""Candidates added up: a fixed-share mixture of them, and what they miss together.

The mixture's weights (Herbster & Warmuth 1998) are those of a Bayesian one in which at each
example, with a small chance, another candidate becomes the best: so none is ever given up. What
is mixed are logits, not probabilities (a logarithmic opinion pool), so that a mixture of sums is
one too. A mixture is at best as good as its best member; several that know different things are
better together. So around it a logistic regression on the candidates' logits is learnt (stacking,
Wolpert 1992), as a posterior that starts at the mixture as it is: with few labels that is what it
stays.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, Self

from models.online.few import Few

LEAST = 0.01  # what counts less is left out: crosses and trees cost scorers time
# What is believed before any label: the prior, which has learnt from other customers.
START = {"prior": 0.6, "logit": 0.1, "bayes": 0.1, "crosses": 0.1, "trees": 0.1}
SHARERS = tuple(START)
STACKED = SHARERS[1:]  # beside the mixture and the others the prior says nothing new
FADE = 1e-3
SURE = 9.0  # squared z score from which on the trees count beyond their share: they cost time
Sum = tuple[float, dict[str, float]]  # a shift, and what each candidate's logit counts


class Manner(NamedTuple):
    """How much labels count with a stack.

    `rate`: what an example's loss counts; `share`: the chance that another candidate becomes the
    best, at each example; `line`, `beyond`: the prior's variance of the shift and the stretch,
    and of what a candidate counts beyond its share of the mixture.
    """

    rate: float
    share: float
    line: float
    beyond: float


class Stack:
    """The candidates' weights, which sum to 1, and the regression around."""

    def __init__(self, manner: Manner) -> None:
        self.weights = dict(START)
        self._rate, self._share = manner.rate, manner.share
        self._around = Few(FADE, [manner.line] * 2 + [manner.beyond] * len(STACKED))
        self._mix: dict[str, float] = {}  # the weights from LEAST on, summing to 1
        self._parts: Sum = (0.0, {})
        self._settle()

    def parts(self) -> Sum:
        """Return the shift, and what each candidate's logit counts."""
        return self._parts

    def learn_one(
        self,
        logits: dict[str, float],
        losses: dict[str, float],
        label: float,
        weight: float = 1.0,
    ) -> None:
        """Take in what the candidates said of an example, and what each lost by it, in nats.

        `weight`: what the example counts.
        """
        mixed = sum(part * logits[name] for name, part in self._mix.items())
        terms = [1.0, mixed, *[logits[name] - mixed for name in STACKED]]
        self._around.learn_one(terms, mixed + self._around.correction(terms), label, weight)
        weights = self.weights
        for name in weights:
            weights[name] *= math.exp(-weight * self._rate * losses[name])
        total, share = sum(weights.values()), weight * self._share
        for name, part in weights.items():
            weights[name] = (1.0 - share) * part / total + share * START[name]
        self._settle()

    def _settle(self) -> None:
        """Say anew what counts how much."""
        kept = {name: weight for name, weight in self.weights.items() if weight >= LEAST}
        total = sum(kept.values())
        self._mix = {name: weight / total for name, weight in kept.items()}
        means = self._around.means
        shift, stretch, more = means[0], means[1], means[2:]
        if self._around.strength(1 + len(STACKED)) < SURE:
            more[-1] = 0.0
        mixed = 1.0 + stretch - sum(more)
        parts = {name: mixed * weight for name, weight in self._mix.items()}
        for name, one in zip(STACKED, more, strict=True):
            if one:
                parts[name] = parts.get(name, 0.0) + one
        self._parts = (shift, parts)

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        return {"weights": dict(self.weights), "stack": self._around.to_state()}

    @classmethod
    def from_state(cls, state: dict[str, Any], manner: Manner) -> Self:
        """Return the stack that `to_state` wrote."""
        stack = cls(manner)
        stack.weights = {name: float(state["weights"][name]) for name in START}
        stack._around = Few.from_state(state["stack"], FADE)
        stack._settle()
        return stack


def logit_of(parts: Sum, logits: dict[str, float]) -> float:
    """Return what a sum says by the candidates' logits."""
    found, counted = parts
    for name, part in counted.items():
        found += part * logits[name]
    return found


def between(one: Sum, other: Sum, share: float) -> Sum:
    """Return the sum that says what these two do, the other one by its share; below LEAST none."""
    if share < LEAST:
        return one
    if share > 1.0 - LEAST:
        return other
    left = 1.0 - share
    parts = {name: left * part for name, part in one[1].items()}
    for name, part in other[1].items():
        parts[name] = parts.get(name, 0.0) + share * part
    return left * one[0] + share * other[0], parts
