"""What scorers get of a model: weights, means and scales; cheap, additive, explained exactly.

A prediction is a sum of shares in the logit: the population's own (BASE), and each feature's
against the population's mean. Whatever candidate is served, it is served in this one form.
"""

from __future__ import annotations

import math
from typing import Self

import msgspec
from msgspec import Struct

from models.online.forks import Fork, shared
from models.online.scaling import LIMIT, bounded, sigmoid

PRIOR = "prior_logit"  # the feature that carries the lifetime prior
BASE = "base"  # the reason that belongs to no feature: the population's own risk
PRIOR_LIMIT = 14.0  # a logit beyond it is a certainty that no prior can have
SPREAD = 8.0  # standard deviations beyond which a value counts no more
CROSS_SPREAD = 3.0  # and beyond which it counts no more in a cross

# Mean, 1 / deviation (0: it never varied, and says nothing), weight by deviation.
Term = tuple[float, float, float]
# Left and right column, the product's usual value, weight. A column is a feature and a knot.
Cross = tuple[int, int, float, float]


def hinge(distance: float, knot: float) -> float:
    """Return a feature's distance as a cross takes it: whole (knot 0), or beyond the knot.

    Knot k > 0: how far above k deviations; k < 0: how far below.
    """
    if distance > CROSS_SPREAD:
        distance = CROSS_SPREAD
    elif distance < -CROSS_SPREAD:
        distance = -CROSS_SPREAD
    if not knot:
        return distance
    beyond = distance - knot if knot > 0.0 else knot - distance
    return beyond if beyond > 0.0 else 0.0


class Served(Struct, frozen=True):
    """A binary model as scorers hold it. `learnt` counts examples: its version.

    The logit is `intercept`, plus `prior` times the lifetime prior's logit, plus the terms,
    plus the crosses (products of two columns, or one column alone: right is -1), plus the
    forks (small trees over the features that `forked` names). Unknown features count nothing,
    missing ones are the mean.
    """

    candidate: str
    learnt: int = 0
    intercept: float = 0.0
    prior: float = 1.0
    prior_mean: float = 0.0
    terms: dict[str, Term] = {}
    columns: list[tuple[str, float]] = []
    crosses: list[Cross] = []
    forked: list[str] = []
    forks: list[Fork] = []

    @classmethod
    def untrained(cls) -> Self:
        """Return the model that has seen nothing: the lifetime prior alone."""
        return cls("prior")

    def chance(self, x: dict[str, float]) -> float:
        """Return P(label is 1)."""
        return sigmoid(sum(self.explain_one(x).values()))

    def explain_one(self, x: dict[str, float]) -> dict[str, float]:
        """Return each feature's share of the logit, BASE for the rest: they sum to it.

        A share is against the population: of a feature at its mean it is 0. A cross's share
        is split evenly over its two features, a tree's as `models.online.forks` says.
        """
        shares = {BASE: self.intercept + self.prior * self.prior_mean}
        terms, together = self.terms, bool(self.crosses or self.forks)
        distances: dict[str, float] = {}
        for name, given in x.items() if terms else ():
            term = terms.get(name)
            if term is None:
                continue
            # `bounded` in line: calling it for each would cost a third more.
            usual = type(given) is float and -LIMIT <= given <= LIMIT
            value = given if usual else bounded(given)
            if value is None:
                continue
            mean, scale, weight = term
            distance = (value - mean) * scale
            if not -SPREAD <= distance <= SPREAD:
                distance = math.copysign(SPREAD, distance)
            shares[name] = weight * distance
            if together:
                distances[name] = distance
        if self.prior and PRIOR in x and (prior := prior_of(x)) is not None:
            shares[PRIOR] = shares.get(PRIOR, 0.0) + self.prior * (prior - self.prior_mean)
        if together:
            self._add_joint(distances, shares)
        return shares

    def _add_joint(self, distances: dict[str, float], shares: dict[str, float]) -> None:
        """Add the shares of what is of several features together."""
        if self.crosses:
            self._cross(distances, shares)
        if self.forks:
            self._fork(distances, shares)

    def _cross(self, distances: dict[str, float], shares: dict[str, float]) -> None:
        """Add the crosses' shares; one of whose features is missing counts nothing."""
        columns = self.columns
        values = [
            hinge(distances[name], knot) if name in distances else None for name, knot in columns
        ]
        base = 0.0
        for left, right, usual, weight in self.crosses:
            value, other = values[left], 1.0 if right < 0 else values[right]
            if value is None or other is None:
                continue
            base += weight * usual
            half = 0.5 * weight * (value * other - usual)
            shares[columns[left][0]] += half
            shares[columns[right if right >= 0 else left][0]] += half
        shares[BASE] += base

    def _fork(self, distances: dict[str, float], shares: dict[str, float]) -> None:
        """Add the trees' shares; a feature that is missing has none."""
        known = [distances.get(name, 0.0) for name in self.forked]
        for name, share in zip(self.forked, shared(self.forks, known), strict=True):
            if share:
                shares[name] += share

    def usual(self, feature: str) -> float | None:
        """Return the population's mean of a feature, None when it was never seen."""
        term = self.terms.get(feature)
        return None if term is None else term[0]


def prior_of(x: dict[str, float]) -> float | None:
    """Return the lifetime prior's logit, within PRIOR_LIMIT; None when there is none."""
    value = bounded(x.get(PRIOR))
    return None if value is None else min(PRIOR_LIMIT, max(-PRIOR_LIMIT, value))


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Served).decode
