"""The policies that a marketer asks about, as probabilities over what was eligible.

None of them takes an arm that was not eligible: eligibility followed from what was known of the
customer then, and the log keeps only its outcome. To offer nothing is always eligible.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.catalogue import NONE, Catalogue
from models.offpolicy.logged import Floats, Logged, Policy
from models.online.offers import conversion
from models.online.thompson import propensities

Known = NDArray[np.bool_]
UNIFORM, GREEDY, THOMPSON, FIXED = "uniform", "greedy", "thompson", "fixed:"


class PolicyError(ValueError):
    """There is no such policy; the message says what there is."""


def named(
    name: str, arms: Sequence[str], catalogue: Catalogue, running: Catalogue | None = None
) -> Policy:
    """Return `uniform`, `greedy`, `thompson` or `fixed:ARM` over these columns.

    Worths, costs and floor are the catalogue's; arms that it lacks are not taken. `running`, if
    another one, is the catalogue by which the log's margins were told. Raises PolicyError.
    """
    if name == UNIFORM:
        return uniform
    if name in (GREEDY, THOMPSON):
        return _Worth(arms, catalogue, running or catalogue, sampled=name == THOMPSON)
    if name.startswith(FIXED):
        arm = name.removeprefix(FIXED)
        if arm not in arms:
            raise PolicyError(f"the log never knew an arm {arm!r}; it knows {', '.join(arms)}")
        return fixed(arms, arm)
    raise PolicyError(
        f"{name!r} is no policy: uniform, greedy, thompson, fixed:ARM, or a catalogue file"
    )


def uniform(log: Logged) -> Floats:
    """Return the same probability for every eligible arm."""
    eligible = (log.propensities > 0).astype(np.float64)
    shares: Floats = eligible / eligible.sum(axis=1, keepdims=True)
    return shares


def fixed(arms: Sequence[str], arm: str) -> Policy:
    """Return the policy that takes one arm wherever it is eligible, and else offers nothing."""
    column, nothing = list(arms).index(arm), list(arms).index(NONE)

    def target(log: Logged) -> Floats:
        chosen = np.where(log.propensities[:, column] > 0, column, nothing)
        return np.eye(len(arms))[chosen]

    return target


def worths(arms: Sequence[str], catalogue: Catalogue) -> tuple[Floats, Floats]:
    """Return value and cost of each arm; NaN for those that the catalogue lacks."""
    stated = {arm.name: (arm.offer.value, arm.cost) for arm in catalogue.arms}
    stated[NONE] = (catalogue.policy.none_value, 0.0)
    values, costs = np.array([stated.get(arm, (np.nan, np.nan)) for arm in arms]).T
    return values, costs


class _Worth:
    """Takes what is worth most by what was believed then, or samples by that belief."""

    def __init__(
        self, arms: Sequence[str], catalogue: Catalogue, running: Catalogue, sampled: bool
    ) -> None:
        self._values, self._costs = worths(arms, catalogue)
        told, _ = worths(arms, running)
        # A margin was told for the value that an offer had; another value moves it alike.
        self._scales = self._values / np.where(told > 0, told, np.nan)
        # And a deviation for a boldness.
        self._boldness = catalogue.policy.boldness / running.policy.boldness
        self._floor = catalogue.policy.floor
        self._sampled = sampled

    def __call__(self, log: Logged) -> Floats:
        if log.means is None or log.deviations is None:
            raise PolicyError("the log keeps no beliefs: greedy and thompson cannot be computed")
        values = np.broadcast_to(self._values, log.means.shape)
        if log.margins is not None:
            scaled = log.margins * self._scales
            values = np.where(np.isfinite(scaled), scaled, values)
        known = ~np.isnan(self._values) & np.isfinite(log.means) & (log.propensities > 0)
        chances = self._sample if self._sampled else self._best
        return chances(log.means, log.deviations * self._boldness, values, known)

    def _best(self, means: Floats, deviations: Floats, values: Floats, known: Known) -> Floats:
        means, deviations = (np.where(known, told, 0.0) for told in (means, deviations))
        beliefs = zip(means.ravel().tolist(), (deviations**2).ravel().tolist(), strict=True)
        chances = np.array([conversion(*one) for one in beliefs]).reshape(means.shape)
        worth = np.where(known, values * chances - self._costs, -np.inf)
        best: Floats = np.eye(worth.shape[1])[worth.argmax(axis=1)]
        return best * known.any(axis=1, keepdims=True)

    def _sample(self, means: Floats, deviations: Floats, values: Floats, known: Known) -> Floats:
        target = np.zeros(means.shape)
        for row, arms in enumerate(known):
            if arms.any():
                target[row, arms] = propensities(
                    means[row, arms].tolist(),
                    (deviations[row, arms] ** 2).tolist(),
                    values[row, arms].tolist(),
                    self._costs[arms].tolist(),
                    self._floor,
                )
        return target


def unknown(arms: Sequence[str], catalogue: Catalogue) -> list[str]:
    """Return the catalogue's arms that the log never knew: nobody can tell what they would earn."""
    return [arm.name for arm in catalogue.arms if arm.name not in arms]
