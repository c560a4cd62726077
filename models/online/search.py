"""Which products of two columns a model lacks: score tests, kept as running sums.

A column is a feature's distance as it is, or its hinge beyond a knot; the first column is
the constant, so a hinge alone is a product too. Were the model right, its residuals would
go with no product: the sum of residual times product, over the root of the sum of its
squares, is then about standard normal (Rao 1948). What lies far out is worth a term.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np

from models.online.posterior import Vector, pack, unpack
from models.online.shares import CROSS_SPREAD

POOL = 24  # features that are searched at a time
KNOTS = (0.0, 1.0, -1.0)  # deviations from the mean at which hinges bend; 0: none
MEMORY = 0.985  # share of the sums that is kept from one look to the next
SHOWN = 32  # pairs that a look returns
# A column's value is max(sign * distance - off, floor).
SIGNS = np.array([-1.0 if knot < 0.0 else 1.0 for knot in KNOTS])
OFFS = np.abs(KNOTS)
FLOORS = np.array([0.0 if knot else -CROSS_SPREAD for knot in KNOTS])


class Column(NamedTuple):
    """A feature by its place, whole (knot 0) or beyond a knot; place -1 is the constant 1."""

    place: int
    knot: float


CONSTANT = Column(-1, 0.0)
Pair = tuple[Column, Column]


class Found(NamedTuple):
    """A pair that the residuals go with."""

    strength: float  # its squared z score
    pair: Pair
    size: float  # its mean square


class Search:
    """The sums over all pairs of the pool's columns, one number a pair. The pool is of places."""

    def __init__(self) -> None:
        self.pool: list[int] = []
        self._columns = [CONSTANT]
        self._sums: Vector = np.zeros(1)
        self._squares: Vector = np.zeros(1)
        self._reach()

    def add(self, place: int) -> None:
        """Search a feature too, while there is room."""
        if len(self.pool) >= POOL:
            return
        known = len(self._columns)
        self.pool.append(place)
        self._columns += [Column(place, knot) for knot in KNOTS]
        self._reach()
        old, sums, squares = self._right < known, self._sums, self._squares
        self._sums, self._squares = np.zeros(len(old)), np.zeros(len(old))
        self._sums[old], self._squares[old] = sums, squares

    def _reach(self) -> None:
        """Lay the pairs out, each once and row by row, and make room to work in."""
        self._left, self._right = np.triu_indices(len(self._columns))
        self._values: Vector = np.ones(len(self._columns))
        self._work: tuple[Vector, Vector] = (np.zeros(len(self._left)), np.zeros(len(self._left)))

    def note(self, cut: Vector, residual: float) -> None:
        """Take in an example: cut distances by place, and its label less its probability."""
        columns = self._values
        np.maximum(
            cut.take(self.pool)[:, None] * SIGNS - OFFS,
            FLOORS,
            out=columns[1:].reshape(-1, len(KNOTS)),
        )
        # Clipped, they are taken without a copy: none lies outside.
        work, others = self._work
        (columns * residual).take(self._left, out=work, mode="clip")
        columns.take(self._right, out=others, mode="clip")
        work *= others
        self._sums += work
        work *= work
        self._squares += work

    def look(self) -> list[Found]:
        """Return the strongest pairs, strongest first; then forget a little."""
        strengths = self._sums * self._sums / (self._squares + 1e-9)
        order = np.argsort(-strengths, kind="stable")[:SHOWN]
        sizes = self._squares / (self._squares[0] + 1e-9)
        found = [
            Found(
                float(strengths[at]),
                (self._columns[self._left[at]], self._columns[self._right[at]]),
                float(sizes[at]),
            )
            for at in map(int, order)
        ]
        self._sums *= MEMORY
        self._squares *= MEMORY * MEMORY
        return found

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        return {"pool": self.pool, "sums": pack(self._sums), "squares": pack(self._squares)}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the search that `to_state` wrote, bit for bit."""
        search = cls()
        for place in state["pool"]:
            search.add(int(place))
        search._sums, search._squares = unpack(state["sums"]), unpack(state["squares"])
        return search
