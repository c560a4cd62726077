"""A model's prediction for one customer, feature by feature: what `Served` serves.

The usual values are of the commonest kind, floats, and go the short way; whatever else is
sent as a feature is bounded, or counts nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from models.online.forks import shared
from models.online.scaling import LIMIT, bounded

if TYPE_CHECKING:
    from models.online.served import Served

PRIOR: Final = "prior_logit"  # the feature that carries the lifetime prior
BASE: Final = "base"  # the reason that belongs to no feature: the population's own risk
PRIOR_LIMIT: Final = 14.0  # a logit beyond it is a certainty that no prior can have
SPREAD: Final = 8.0  # standard deviations beyond which a value counts no more
CROSS_SPREAD: Final = 3.0  # and beyond which it counts no more in a cross

# Mean, 1 / deviation (0: it never varied, and says nothing), weight by deviation.
Term = tuple[float, float, float]
# Left and right column, the product's usual value, weight. A column is a feature and a knot.
Cross = tuple[int, int, float, float]


def shares_of(model: Served, x: dict[str, Any]) -> dict[str, float]:
    """Return what `Served.explain_one` does."""
    weight, mean = model.prior, model.prior_mean
    shares: dict[str, float] = {BASE: model.intercept + weight * mean}
    distances: dict[str, float] = {}
    if terms := model.terms:
        _add_terms(terms, x, shares, distances)
    if weight and PRIOR in x:
        prior = prior_of(x)
        if prior is not None:
            shares[PRIOR] = shares.get(PRIOR, 0.0) + weight * (prior - mean)
    if model.crosses:
        _add_crosses(model.columns, model.crosses, distances, shares)
    if model.forks:
        known = [distances.get(name, 0.0) for name in model.forked]
        for name, share in zip(model.forked, shared(model.forks, known), strict=True):
            if share:
                shares[name] += share
    return shares


def _add_terms(
    terms: dict[str, Term], x: dict[str, Any], shares: dict[str, float], distances: dict[str, float]
) -> None:
    """Add the terms' shares, and how far from its mean each feature is, in deviations."""
    for name, given in x.items():
        term = terms.get(name)
        if term is None:
            continue
        # `bounded` in line: calling it for each would cost a third more.
        if type(given) is float and -LIMIT <= given <= LIMIT:
            value: float | None = given
        else:
            value = bounded(given)
        if value is None:
            continue
        mean, scale, weight = term
        distance = (value - mean) * scale
        if not -SPREAD <= distance <= SPREAD:
            distance = math.copysign(SPREAD, distance)
        shares[name] = weight * distance
        distances[name] = distance


def _add_crosses(
    columns: list[tuple[str, float]],
    crosses: list[Cross],
    distances: dict[str, float],
    shares: dict[str, float],
) -> None:
    """Add the crosses' shares; one of whose features is missing counts nothing."""
    values = [hinge(distances[name], knot) if name in distances else None for name, knot in columns]
    base = 0.0
    for left, right, usual, weight in crosses:
        value, other = values[left], 1.0 if right < 0 else values[right]
        if value is None or other is None:
            continue
        base += weight * usual
        half = 0.5 * weight * (value * other - usual)
        shares[columns[left][0]] += half
        shares[columns[right if right >= 0 else left][0]] += half
    shares[BASE] += base


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


def prior_of(x: dict[str, Any]) -> float | None:
    """Return the lifetime prior's logit, within PRIOR_LIMIT; None when there is none."""
    value = bounded(x.get(PRIOR))
    if value is None:
        return None
    return PRIOR_LIMIT if value > PRIOR_LIMIT else -PRIOR_LIMIT if value < -PRIOR_LIMIT else value
