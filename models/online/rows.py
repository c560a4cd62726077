"""What the offer model keeps by name: weights of offers and of channels, and how sure they are.

Element by element, no matrix product: the same bytes on every processor.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from models.online.posterior import Vector, pack, unpack


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


def diagonal(variances: Vector) -> Vector:
    """Return the covariance of weights that know nothing of each other."""
    found = np.zeros((len(variances), len(variances)))
    np.einsum("ii->i", found)[:] = variances
    return found
