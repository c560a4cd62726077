"""Which products of two columns a model lacks: score tests, kept as running sums.

A column is a feature's distance as it is, or its hinge beyond a knot; the first column is
the constant, so a hinge alone is a product too. Were the model right, its residuals would
go with no product: the sum of residual times product, over the root of the sum of its
squares, is then about standard normal (Rao 1948). What lies far out is worth a term.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, Self

import numpy as np
from librt.vecs import append, vec
from mypy_extensions import i64

from models.online import kernels
from models.online.kernels import Vector
from models.online.posterior import pack, unpack
from models.online.shares import hinge

POOL = 24  # features that are searched at a time
KNOTS = (0.0, 1.0, -1.0)  # deviations from the mean at which hinges bend; 0: none
MEMORY = 0.985  # share of the sums that is kept from one look to the next
SHOWN = 32  # pairs that a look returns


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


class Columns:
    """Columns laid out side by side, to be read off distances by place."""

    def __init__(self, columns: Iterable[Column]) -> None:
        self._places = vec[i64]()
        self._knots = vec[float]()
        for place, knot in columns:
            self._places = append(self._places, place)
            self._knots = append(self._knots, knot)

    def value(self, number: i64, distances: vec[float]) -> float:
        """Return a column's value."""
        place = self._places[number]
        return 1.0 if place < 0 else hinge(distances[place], self._knots[number])


class Search:
    """The sums over all pairs of the pool's columns, one number a pair. The pool is of places."""

    def __init__(self) -> None:
        self.pool: list[int] = []
        self._columns = [CONSTANT]
        self._laid = Columns(self._columns)
        self._values = kernels.zeros(1)
        self._sums = kernels.zeros(1)
        self._squares = kernels.zeros(1)

    def add(self, place: int) -> None:
        """Search a feature too, while there is room."""
        if len(self.pool) >= POOL:
            return
        known = len(self._columns)
        self.pool.append(place)
        self._columns += [Column(place, knot) for knot in KNOTS]
        self._laid = Columns(self._columns)
        self._values = kernels.zeros(len(self._columns))
        _, right = kernels.triangle(len(self._columns))
        sums, squares = np.zeros(len(right)), np.zeros(len(right))
        sums[right < known] = kernels.array(self._sums)
        squares[right < known] = kernels.array(self._squares)
        self._keep(sums, squares)

    def _keep(self, sums: Vector, squares: Vector) -> None:
        self._sums, self._squares = kernels.of(sums.tolist()), kernels.of(squares.tolist())

    def note(self, distances: vec[float], residual: float) -> None:
        """Take in an example: distances by place, and its label less its probability."""
        values, columns = self._values, self._laid
        for number in range(i64(len(values))):
            values[number] = columns.value(number, distances)
        kernels.add_pairs(values, residual, self._sums, self._squares)

    def look(self) -> list[Found]:
        """Return the strongest pairs, strongest first; then forget a little."""
        sums, squares = kernels.array(self._sums), kernels.array(self._squares)
        left, right = kernels.triangle(len(self._columns))
        strengths = sums * sums / (squares + 1e-9)
        order = np.argsort(-strengths, kind="stable")[:SHOWN]
        sizes = squares / (squares[0] + 1e-9)
        found = [
            Found(
                float(strengths[at]),
                (self._columns[left[at]], self._columns[right[at]]),
                float(sizes[at]),
            )
            for at in map(int, order)
        ]
        self._keep(sums * MEMORY, squares * (MEMORY * MEMORY))
        return found

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        return {
            "pool": self.pool,
            "sums": pack(kernels.array(self._sums)),
            "squares": pack(kernels.array(self._squares)),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the search that `to_state` wrote, bit for bit."""
        search = cls()
        for place in state["pool"]:
            search.add(int(place))
        search._keep(unpack(state["sums"]), unpack(state["squares"]))
        return search
