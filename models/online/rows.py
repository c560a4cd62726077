"""What the offer model keeps by name: weights of offers and of channels, and how sure they are."""

from __future__ import annotations

from typing import Any

from librt.vecs import append, vec
from mypy_extensions import i64

from models.online import triangle
from models.online.packing import pack_doubles, unpack_doubles
from models.online.vectors import copied, dot, zeros


class Row:
    """One name's weights: means by term, and covariances, or variances alone."""

    def __init__(self, means: vec[float], doubts: vec[float]) -> None:
        self.means = means
        self.doubts = doubts  # the upper triangle, or one by term


class Look:
    """One row's part of a logit: its mean, its doubt, and how the row would move."""

    def __init__(self, row: Row, logit: float, variance: float, gain: vec[float]) -> None:
        self.row = row
        self.logit = logit
        self.variance = variance
        self.gain = gain


class Rows:
    """A weight by term for each name: means, and covariances, or (not `full`) variances alone.

    The first term is the level. The name least lately learnt gives way to a new one.
    """

    def __init__(self, most: int, level: float, weight: float, full: bool) -> None:
        self.rows: dict[str, Row] = {}  # the first is the least lately learnt
        self._most, self._weight, self._full = most, weight, full
        self._variances = vec[float]([level])  # the prior's, by term

    def part(self, name: str, terms: vec[float]) -> tuple[float, float]:
        """Return mean and variance of a name's part of a logit; what is new is the prior's."""
        row = self.rows.get(name)
        known: i64 = 0
        mean, variance = 0.0, 0.0
        if row is not None:
            known = len(row.means)
            mean = dot(row.means, terms)
            variance = self._variance(row.doubts, terms, known)
        for place in range(known, i64(len(terms))):
            variance += self._prior(place) * terms[place] * terms[place]
        return mean, variance

    def _variance(self, doubts: vec[float], terms: vec[float], known: i64) -> float:
        if self._full:
            return triangle.quadratic(doubts, terms, known)
        variance = 0.0
        for place in range(known):
            variance += doubts[place] * terms[place] * terms[place]
        return variance

    def _prior(self, place: i64) -> float:
        return self._variances[place] if place < i64(len(self._variances)) else self._weight

    def look(self, name: str, terms: vec[float]) -> Look:
        """Look at a name's part, before it learns; it has a place of its own from now on."""
        self._reach(len(terms))
        row = self._row(name)
        gain = zeros(len(terms))
        logit = dot(row.means, terms)
        if self._full:
            return Look(row, logit, max(0.0, triangle.times(row.doubts, terms, gain)), gain)
        variance = 0.0
        for place in range(i64(len(terms))):
            each = row.doubts[place] * terms[place]
            gain[place] = each
            variance += each * terms[place]
        return Look(row, logit, variance, gain)

    def learn(self, look: Look, error: float, shrink: float) -> None:
        """Move along what was looked at; `error` and `shrink` are those of all parts together."""
        means, doubts, gain = look.row.means, look.row.doubts, look.gain
        size: i64 = len(gain)
        for place in range(size):
            means[place] += gain[place] * error
        if self._full:
            triangle.subtract_square(doubts, gain, shrink)
        else:
            for place in range(size):
                doubts[place] -= shrink * gain[place] * gain[place]

    def fade(self, kept: float) -> None:
        """Let the doubt drift back towards the prior's, which it never exceeds."""
        prior = self._doubts()
        for row in self.rows.values():
            doubts = row.doubts
            for place in range(i64(len(prior))):
                doubts[place] = kept * doubts[place] + (1.0 - kept) * prior[place]

    def _row(self, name: str) -> Row:
        found = self.rows.pop(name, None)
        if found is None:
            if len(self.rows) >= self._most:
                del self.rows[next(iter(self.rows))]
            found = Row(zeros(len(self._variances)), self._doubts())
        self.rows[name] = found
        return found

    def _doubts(self) -> vec[float]:
        """Return a new row's: the prior's."""
        return triangle.diagonal(self._variances) if self._full else copied(self._variances)

    def _reach(self, terms: i64) -> None:
        """Make room for so many terms."""
        known: i64 = len(self._variances)
        if terms <= known:
            return
        for _ in range(known, terms):
            self._variances = append(self._variances, self._weight)
        for row in self.rows.values():
            means = zeros(terms)
            for place in range(known):
                means[place] = row.means[place]
            row.means, row.doubts = means, self._widened(row.doubts, known)

    def _widened(self, doubts: vec[float], known: i64) -> vec[float]:
        if self._full:
            return triangle.widened(doubts, self._variances, known)
        found = copied(self._variances)
        for place in range(known):
            found[place] = doubts[place]
        return found

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        return {
            "terms": len(self._variances),
            "rows": {
                name: [pack_doubles(row.means), pack_doubles(row.doubts)]
                for name, row in self.rows.items()
            },
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Go on with what `to_state` returned, bit for bit."""
        self._reach(int(state["terms"]))
        for name, (means, doubts) in state["rows"].items():
            self.rows[name] = Row(unpack_doubles(means), unpack_doubles(doubts))
