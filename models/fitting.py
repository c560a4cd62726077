"""Fitting the population's parameters by maximum likelihood, from a sample of customers.

Pure: the same sample gives the same parameters. What the data cannot tell is refused by name,
never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betaln, gammaln

from models.lifetime import DEFAULT_LIFETIME, Lifetime, Tenure
from models.population import Spend

Floats = NDArray[np.float64]
FEWEST = 200  # customers, of whom
FEWEST_REPEATS = 50  # came again
FEWEST_DAYS = 14.0  # and one was seen so long ago
FEWEST_ENDED = 30  # contracts
FEWEST_SPENT = 200  # customers with a currency, of whom a quarter bought twice
_FIFTHS = (0.2, 0.4, 0.6, 0.8)
_PRIOR = 3.0  # deviations of a log parameter: a prior worth less than one customer
_LOW, _HIGH = np.log(1e-3), np.log(1e6)


class CannotFitError(ValueError):
    """The sample does not tell; the text says what it lacks."""


def fit_lifetime(repeats: Floats, last: Floats, age: Floats) -> Lifetime:
    """Return the MBG/NBD parameters that fit best. Raises CannotFitError.

    Of each customer: visits after the first, and the ages at the newest one and today, in days.
    They do not tell the temper (`models.tempering` does): silence counts whole.
    """
    _require(len(age) >= FEWEST, f"{len(age)} customers; {FEWEST} are needed")
    again = int((repeats > 0).sum())
    _require(again >= FEWEST_REPEATS, f"{again} came again; {FEWEST_REPEATS} are needed")
    longest = float(age.max())
    _require(longest >= FEWEST_DAYS, f"seen for {longest:.0f} days; {FEWEST_DAYS:.0f} are needed")
    _require(bool(np.all((last >= 0) & (last <= age))), "a newest visit after today")
    gap = float(last.sum() / repeats.sum())

    def loss(logs: Floats) -> float:
        return -float(lifetime_likelihood(np.exp(logs), repeats, last, age).mean())

    starts = [(r, r * gap, 0.5 + r, 2.0) for r in (0.25, 1.0, 4.0)]
    prior = (DEFAULT_LIFETIME.r, max(gap, 0.1), DEFAULT_LIFETIME.a, DEFAULT_LIFETIME.b)
    r, alpha, a, b = _fitted("visits", loss, starts, prior, len(age))
    return Lifetime(r=r, alpha=alpha, a=a, b=b)


def lifetime_likelihood(parameters: Floats, repeats: Floats, last: Floats, age: Floats) -> Floats:
    """Return each customer's log likelihood under MBG/NBD (Batislam et al. 2007, eq. 4).

    `parameters`: r, alpha, a, b.
    """
    r, alpha, a, b = parameters
    shape = r + repeats
    rate = gammaln(shape) - gammaln(r) + r * np.log(alpha)
    stays = betaln(a, b + repeats + 1.0) - betaln(a, b) - shape * np.log(alpha + age)
    left = betaln(a + 1.0, b + repeats) - betaln(a, b) - shape * np.log(alpha + last)
    likelihood: Floats = rate + np.logaddexp(stays, left)
    return likelihood


def fit_tenure(days: Floats, ended: NDArray[np.bool_]) -> Tenure:
    """Return the exponential-gamma parameters that fit best. Raises CannotFitError.

    Of each contract: how long it lasted, or has lasted until now, and whether it ended.
    """
    count = int(ended.sum())
    _require(count >= FEWEST_ENDED, f"{count} contracts ended; {FEWEST_ENDED} are needed")
    _require(bool(np.all(days >= 0)), "a contract that ended before it began")
    mean = float(max(days.sum() / count, 1.0))

    def loss(logs: Floats) -> float:
        s, beta = np.exp(logs)
        survived = s * (np.log(beta) - np.log(beta + days))
        hazard = np.where(ended, np.log(s) - np.log(beta + days), 0.0)
        return -float((survived + hazard).mean())

    starts = [(s, s * mean) for s in (0.5, 2.0, 8.0)]
    s, beta = _fitted("contracts", loss, starts, (1.5, 1.5 * mean), len(days))
    return Tenure(s=s, beta=beta)


def fit_spend(purchases: Floats, mean: Floats) -> Spend:
    """Return the gamma-gamma parameters that fit best. Raises CannotFitError.

    Of each customer: purchases in one currency, and what they were worth on average (minor units).
    """
    paid = mean > 0
    purchases, mean = purchases[paid], mean[paid]
    count, again = len(mean), int((purchases > 1).sum())
    _require(count >= FEWEST_SPENT, f"{count} customers bought; {FEWEST_SPENT} are needed")
    _require(4 * again >= FEWEST_SPENT, f"{again} bought twice; {FEWEST_SPENT // 4} are needed")
    _require(float(mean.std()) > 0.0, "all spent the same")
    unit = float(mean.mean())
    z = mean / unit

    def loss(logs: Floats) -> float:
        _, over, v = np.exp(logs)
        q, shape = over + 1.0, np.exp(logs[0]) * purchases  # q > 1: else there is no mean
        likelihood = (
            gammaln(shape + q) - gammaln(shape) - gammaln(q) + q * np.log(v)
            + (shape - 1.0) * np.log(z) + shape * np.log(purchases)
            - (shape + q) * np.log(purchases * z + v)
        )  # fmt: skip
        return -float(likelihood.mean())

    starts = [(p, 2.0, 2.0) for p in (0.5, 2.0, 8.0)]
    p, over, v = _fitted("spend", loss, starts, (2.0, 2.0, 2.0), count)
    return Spend(p=p, q=over + 1.0, v=v * unit, customers=count)


def fifths(values: Iterable[float]) -> list[float]:
    """Return the four borders between fifths of the values; empty when there are too few."""
    known = np.fromiter(values, np.float64)
    return [float(at) for at in np.quantile(known, _FIFTHS)] if len(known) >= 5 else []


def _require(holds: bool, lacks: str) -> None:
    if not holds:
        raise CannotFitError(lacks)


def _fitted(
    what: str,
    loss: Callable[[Floats], float],
    starts: Iterable[tuple[float, ...]],
    prior: tuple[float, ...],
    count: int,
) -> tuple[float, ...]:
    """Return the best parameters of several starts, found by their logarithms."""
    centre = np.log(prior)

    def penalised(logs: Floats) -> float:
        return loss(logs) + 0.5 * float((((logs - centre) / _PRIOR) ** 2).sum()) / count

    found: list[tuple[float, Any]] = []
    for start in starts:
        made = minimize(
            penalised, np.log(start), method="L-BFGS-B", bounds=[(_LOW, _HIGH)] * len(start)
        )
        if np.isfinite(made.fun) and np.all(np.isfinite(made.x)):
            found.append((float(made.fun), made))
    if not found:
        raise CannotFitError(f"{what}: no start led anywhere")
    best = min(found, key=lambda one: one[0])[1]
    at_border = (best.x <= _LOW + 1e-6) | (best.x >= _HIGH - 1e-6)
    _require(not at_border.any(), f"{what}: the likelihood has no maximum within reason")
    return tuple(float(value) for value in np.exp(best.x))
