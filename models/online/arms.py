"""What the offer model keeps by name: rows that offers or channels have, and arms laid out.

Element by element, no matrix product: the same bytes on every processor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.online.posterior import Vector, pack, unpack

SHEET = 512  # arms laid out at most
LEAST = 1e-12  # of a variance


class Look(NamedTuple):
    """One row's part of a logit: where it is, its mean, its doubt, and how it would move."""

    place: int
    logit: float
    variance: float
    gain: Vector


class Rows:
    """A weight by term for each name: means, and covariances, or (not `full`) variances alone.

    The first term is the level. The name least lately learnt gives way to a new one.
    """

    def __init__(self, most: int, level: float, weight: float, full: bool) -> None:
        self.places: dict[str, int] = {}  # the first is the least lately learnt
        self._most, self._weight, self._full = most, weight, full
        self.means: Vector = np.zeros((0, 1))
        self._variances = np.full(1, level)
        self.covariances: Vector = np.zeros((0, 1, 1) if full else (0, 1))

    def of(self, name: str, terms: int) -> tuple[Vector, Vector]:
        """Return a name's means and covariances, not to be written to; new ones are the prior's."""
        known, place = len(self._variances), self.places.get(name)
        if place is not None and known == terms:
            return self.means[place], self.covariances[place]
        variances, means = self._prior(terms), np.zeros(terms)
        if place is not None:
            means[:known] = self.means[place]
            variances[(slice(known),) * variances.ndim] = self.covariances[place]
        return means, variances

    def look(self, name: str, terms: Vector) -> Look:
        """Look at a name's part, before it learns; it has a place of its own from now on."""
        self._reach(len(terms))
        place = self._place(name)
        gain = self.covariances[place] * terms
        if self._full:
            gain = np.add.reduce(gain, axis=1)
        logit = float(np.add.reduce(self.means[place] * terms))
        return Look(place, logit, max(0.0, float(np.add.reduce(gain * terms))), gain)

    def learn(self, look: Look, error: float, shrink: float) -> None:
        """Move along what was looked at; `error` and `shrink` are those of all parts together."""
        place, gain = look.place, look.gain
        self.means[place] += gain * error
        gain = gain * shrink**0.5
        self.covariances[place] -= gain[:, None] * gain if self._full else gain * gain

    def fade(self, kept: float) -> None:
        """Let the doubt drift back towards the prior's, which it never exceeds."""
        self.covariances *= kept
        self.covariances += (1.0 - kept) * self._prior()

    def _place(self, name: str) -> int:
        found = self.places.pop(name, None)
        if found is None and len(self.places) < self._most:
            found = len(self.places)
            self.means = np.concatenate([self.means, np.zeros((1, len(self._variances)))])
            self.covariances = np.concatenate([self.covariances, self._prior()[None]])
        elif found is None:
            found = self.places.pop(next(iter(self.places)))
            self.means[found] = 0.0
            self.covariances[found] = self._prior()
        self.places[name] = found
        return found

    def _prior(self, terms: int = 0) -> Vector:
        more = np.full(max(0, terms - len(self._variances)), self._weight)
        variances = np.concatenate([self._variances, more])
        return diagonal(variances) if self._full else variances

    def _reach(self, terms: int) -> None:
        """Make room for so many terms."""
        known = len(self._variances)
        if terms <= known:
            return
        means, covariances = self.means, self.covariances
        self.means = np.zeros((len(self.places), terms))
        self.means[:, :known] = means
        prior = self._prior(terms)
        self.covariances = np.repeat(prior[None], len(self.places), axis=0)
        self.covariances[(slice(None), *(slice(known),) * prior.ndim)] = covariances
        more = np.full(terms - known, self._weight)
        self._variances = np.concatenate([self._variances, more])

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        covariances = self.covariances
        if self._full:  # symmetric to the bit: one half tells the other
            rows, columns = np.triu_indices(len(self._variances))
            covariances = covariances[:, rows, columns]
        return {
            "terms": len(self._variances),
            "rows": {
                name: [pack(self.means[place]), pack(covariances[place])]
                for name, place in self.places.items()
            },
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Go on with what `to_state` returned, bit for bit."""
        self._reach(int(state["terms"]))
        rows, columns = np.triu_indices(len(self._variances))
        for name, (means, covariance) in state["rows"].items():
            place = self._place(name)
            self.means[place] = unpack(means)
            if self._full:
                self.covariances[place][rows, columns] = unpack(covariance)
                self.covariances[place][columns, rows] = unpack(covariance)
            else:
                self.covariances[place] = unpack(covariance)


class Parts(NamedTuple):
    """What an arm's logit is a sum of: its offer's part, its channel's, if any, and its level."""

    means: Vector
    covariances: Vector
    channel: tuple[Vector, Vector] | None  # means and variances
    mean: float
    variance: float


class Sheet:
    """Arms laid out in rows for predicting: what depends on what was learnt alone, made once."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._stale: set[str] = set()
        self._resize(0)

    def _resize(self, terms: int) -> None:
        self._terms = terms
        # Above the diagonal each product stands for two.
        self._one, self._other = np.triu_indices(terms)
        self._upper = self._one * terms + self._other
        self._twice = np.where(self._one == self._other, 1.0, 2.0)
        self._diagonal = np.flatnonzero(self._one == self._other)
        self._rows.clear()
        self._stale.clear()
        self._means = np.zeros((0, terms))
        self._covariances = np.zeros((0, len(self._twice)))

    def forget(self, offer: str, channel: str) -> None:
        """Let what was laid out of an offer's and a channel's arms be laid out anew."""
        for arm in self._rows:
            of, _, by = arm.partition("/")
            if of == offer or (channel and by == channel):
                self._stale.add(arm)

    def read(
        self, arms: Sequence[str], terms: Vector, parts: Callable[[str, int], Parts]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return means and variances of the arms' logits; `parts` tells an arm's."""
        if len(terms) != self._terms or len(self._rows) > SHEET:
            self._resize(len(terms))
        rows, stale = self._rows, self._stale
        places = [
            rows[arm] if arm in rows and arm not in stale else self._lay(arm, parts) for arm in arms
        ]
        products = terms.take(self._one)
        products *= terms.take(self._other)
        spread = self._covariances.take(places, axis=0)
        spread *= products
        means = self._means.take(places, axis=0)
        means *= terms
        variances: Vector = np.add.reduce(spread, axis=1)
        return np.add.reduce(means, axis=1), np.maximum(variances, LEAST, out=variances)

    def _lay(self, arm: str, parts: Callable[[str, int], Parts]) -> int:
        own = parts(arm, self._terms)
        means = own.means.copy()
        row = own.covariances.ravel().take(self._upper)
        row *= self._twice
        if own.channel is not None:
            means += own.channel[0]
            row[self._diagonal] += own.channel[1]
        means[0] += own.mean
        row[0] += own.variance
        place = self._rows.get(arm)
        if place is None:
            place = self._rows[arm] = len(self._rows)
            self._means = np.concatenate([self._means, means[None]])
            self._covariances = np.concatenate([self._covariances, row[None]])
        else:
            self._means[place], self._covariances[place] = means, row
            self._stale.discard(arm)
        return place


def diagonal(variances: Vector) -> Vector:
    """Return the covariance of weights that know nothing of each other."""
    found = np.zeros((len(variances), len(variances)))
    np.einsum("ii->i", found)[:] = variances
    return found
