"""A served model laid out by place: what predicting by it takes, in arrays.

Features stand where `models.places` has them, those that it does not know behind. What comes
by name, whatever it is, and what comes by place go the same way.
"""

from __future__ import annotations

from math import copysign, isnan, nan, tanh
from sys import intern
from typing import TYPE_CHECKING, Any

from librt.vecs import append, vec
from mypy_extensions import i64

from models import places
from models.online.forks import Forest
from models.online.scaling import LIMIT, bounded
from models.online.shares import SPREAD, Shares, certain, hinge
from models.online.vectors import of, unknown, zeros

if TYPE_CHECKING:
    from models.online.served import Served


class Scorecard:
    """A model's terms, crosses and trees by place. A place without a term has no mean: NaN."""

    def __init__(self, model: Served) -> None:
        named = [*places.NAMES, *model.terms, *[name for name, _ in model.columns], *model.forked]
        # Names as features are spelt in the code: the very same text is found without comparing it.
        self._places = {intern(name): place for place, name in enumerate(dict.fromkeys(named))}
        self._ours = vec[i64](range(places.MANY))
        terms = [model.terms.get(name, (nan, 0.0, 0.0)) for name in self._places]
        self._means = of([mean for mean, _, _ in terms])
        self._scales = of([scale for _, scale, _ in terms])
        self._weights = of([weight for _, _, weight in terms])
        self._prior, self._prior_mean = model.prior, model.prior_mean
        self._base = model.intercept + model.prior * model.prior_mean
        self._columns = vec[i64]([self._places[name] for name, _ in model.columns])
        self._knots = of([knot for _, knot in model.columns])
        self._lefts = vec[i64]([left for left, _, _, _ in model.crosses])
        self._rights = vec[i64]([right for _, right, _, _ in model.crosses])
        self._usual = of([usual for _, _, usual, _ in model.crosses])
        self._crossed = of([weight for _, _, _, weight in model.crosses])
        self._forked = vec[i64]([self._places[name] for name in model.forked])
        self._forest = Forest(model.trees, model.tick, model.forks)
        self._start, self._slope, self._bend = model.start, model.slope, model.bend
        self._curved = (model.start, model.slope, model.bend) != (0.0, 1.0, 0.0)

    def usual(self, place: i64) -> float | None:
        """Return the population's mean of a feature, None when it was never seen."""
        mean = self._means[place]
        return None if isnan(mean) else mean

    def names(self) -> list[str]:
        """Return the features by place."""
        return list(self._places)

    def by_place(self, values: vec[float]) -> Shares:
        """Return the shares of features that stand where `models.places` has them."""
        return self._shares(values, self._ours)

    def by_name(self, x: dict[str, Any]) -> Shares:
        """Return the shares of features by name; those that the model does not know count nothing.

        Whatever is sent that is no number counts nothing.
        """
        values, known = unknown(len(self._means)), vec[i64](capacity=len(x))
        for name, given in x.items():
            place = self._places.get(name)
            if place is None:
                continue
            values[place] = given if type(given) is float else number(given)
            known = append(known, place)
        return self._shares(values, known)

    def _shares(self, values: vec[float], order: vec[i64]) -> Shares:
        """Return the shares of what is known of `values`, to be summed in this order of places."""
        shares, distances = zeros(len(self._means)), unknown(len(self._means))
        told = self._add_terms(values, order, shares, distances)
        base = self._base
        prior = within(values[places.PRIOR_LOGIT])
        if self._prior and not isnan(prior):
            if isnan(distances[places.PRIOR_LOGIT]):
                told = append(told, places.PRIOR_LOGIT)
            shares[places.PRIOR_LOGIT] += self._prior * (certain(prior) - self._prior_mean)
        if len(self._lefts):
            base += self._add_crosses(shares, distances)
        if len(self._forked):
            self._add_forks(shares, distances)
        found = Shares(base, shares, told)
        return self._calibrated(found) if self._curved else found

    def _calibrated(self, plain: Shares) -> Shares:
        """Return the shares stretched alike, so that they sum to the calibrated logit."""
        logit = plain.logit()
        stretch = self._slope + self._bend * (tanh(logit) / logit if logit else 1.0)
        shares = plain.by_place
        for place in range(i64(len(shares))):
            shares[place] *= stretch
        return Shares(self._start + stretch * plain.base, shares, plain.told)

    def _add_terms(
        self, values: vec[float], order: vec[i64], shares: vec[float], distances: vec[float]
    ) -> vec[i64]:
        """Add the terms' shares, and how far from its mean each feature is, in deviations.

        Return the places that have one.
        """
        means, scales, weights = self._means, self._scales, self._weights
        told = vec[i64](capacity=len(order) + 1)
        for number in range(i64(len(order))):
            place = order[number]
            distance = (within(values[place]) - means[place]) * scales[place]
            if isnan(distance):
                continue
            if not -SPREAD <= distance <= SPREAD:
                distance = copysign(SPREAD, distance)
            distances[place] = distance
            shares[place] = weights[place] * distance
            told = append(told, place)
        return told

    def _add_crosses(self, shares: vec[float], distances: vec[float]) -> float:
        """Add the crosses' shares, return what they add to the base.

        One of whose features is missing counts nothing.
        """
        columns, knots, lefts, rights = self._columns, self._knots, self._lefts, self._rights
        values = unknown(len(columns))
        for column in range(i64(len(columns))):
            distance = distances[columns[column]]
            if not isnan(distance):
                values[column] = hinge(distance, knots[column])
        base = 0.0
        for number in range(i64(len(lefts))):
            left, right = lefts[number], rights[number]
            value, other = values[left], 1.0 if right < 0 else values[right]
            if isnan(value) or isnan(other):
                continue
            weight, usual = self._crossed[number], self._usual[number]
            base += weight * usual
            half = 0.5 * weight * (value * other - usual)
            shares[columns[left]] += half
            shares[columns[right if right >= 0 else left]] += half
        return base

    def _add_forks(self, shares: vec[float], distances: vec[float]) -> None:
        forked = self._forked
        seen = zeros(len(forked))
        for number in range(i64(len(forked))):
            distance = distances[forked[number]]
            if not isnan(distance):
                seen[number] = distance
        said = self._forest.shared(seen)
        for number in range(i64(len(forked))):
            shares[forked[number]] += said[number]


def within(value: float) -> float:
    """Return a value within LIMIT; NaN when it is not finite."""
    return value if -LIMIT <= value <= LIMIT or isnan(value) else number(value)


def number(given: object) -> float:
    """Return what was sent as a feature as a number within LIMIT; NaN when it is none."""
    bound = bounded(given)
    return nan if bound is None else bound
