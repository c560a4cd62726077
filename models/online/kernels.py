"""The sums over squares of numbers that learning is made of: each as a loop, and by NumPy.

Compiled, numbers are kept in a `vec` and a loop costs a nanosecond or so a step, where a NumPy
call costs a thousand; interpreted they are NumPy arrays, and a loop would cost fifty times as
much. Both add in one order, that of the places, so both find the same bits. What is written to
here must be made here; what is only read may be any `vec`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from types import FunctionType
from typing import Any, Final, cast

import numpy as np
from librt.vecs import vec
from mypy_extensions import i64
from numpy.typing import NDArray

from models.online import vectors

Vector = NDArray[np.float64]


def of(numbers: Iterable[float]) -> vec[float]:
    """Return the numbers, in order."""
    if not COMPILED:
        return cast("vec[float]", np.array(list(numbers), dtype=np.float64))
    return vectors.of(numbers)


COMPILED: Final = not isinstance(of, FunctionType)


def zeros(size: int) -> vec[float]:
    """Return so many zeros."""
    return of([0.0] * size)


def copied(numbers: vec[float]) -> vec[float]:
    """Return a copy, to be written to without its original's changing."""
    if not COMPILED:
        return cast("vec[float]", array(numbers).copy())
    return vectors.copied(numbers)


def array(numbers: vec[float]) -> Vector:
    """Return the numbers as NumPy takes them, to be read: nothing is copied."""
    seen: Any = numbers
    return np.asarray(seen, dtype=np.float64)


def dot(one: vec[float], other: vec[float]) -> float:
    """Return the sum of products of as many numbers."""
    if not COMPILED:
        return _total(array(one) * array(other))
    return vectors.dot(one, other)


def add(numbers: vec[float], others: vec[float], scale: float) -> None:
    """Add scale * others to the numbers."""
    if not COMPILED:
        kept = array(numbers)
        kept += array(others) * scale
        return
    for place in range(i64(len(numbers))):
        numbers[place] += others[place] * scale


def times(square: vec[float], terms: vec[float], found: vec[float]) -> float:
    """Write the product of a symmetric matrix and a vector; return their quadratic form.

    `square`: row by row, of which the half up to the diagonal is read; `found` is written over.
    """
    size: i64 = len(terms)
    if not COMPILED:
        kept = array(found)
        np.add.reduce(array(square).reshape(size, size) * array(terms)[:, None], axis=0, out=kept)
        return _total(kept * array(terms))
    for row in range(size):
        start = row * size
        term = terms[row]
        total = 0.0
        for column in range(row):
            known = square[start + column]
            found[column] += known * term
            total += known * terms[column]
        found[row] = total + square[start + row] * term
    form = 0.0
    for row in range(size):
        form += found[row] * terms[row]
    return form


def subtract_square(square: vec[float], terms: vec[float], scale: float) -> None:
    """Take (scale * terms) (scale * terms)' from a symmetric matrix as `times` reads it."""
    size: i64 = len(terms)
    if not COMPILED:
        scaled = array(terms) * scale
        kept = array(square).reshape(size, size)
        kept -= scaled[:, None] * scaled
        return
    for row in range(size):
        start = row * size
        one = terms[row] * scale
        for column in range(row + 1):
            square[start + column] -= one * (terms[column] * scale)


def fade(square: vec[float], variances: vec[float], share: float) -> None:
    """Let a covariance drift by `share` towards one of these variances and nothing beside."""
    size: i64 = len(variances)
    if not COMPILED:
        kept = array(square)
        kept *= 1.0 - share
        kept[:: size + 1] += share * array(variances)
        return
    left = 1.0 - share
    for row in range(size):
        start = row * size
        for column in range(row + 1):
            square[start + column] *= left
        square[start + row] += share * variances[row]


def add_pairs(values: vec[float], scale: float, sums: vec[float], squares: vec[float]) -> None:
    """Add scale * value * value of each pair to `sums`, its square to `squares`.

    Pairs row by row: each value with itself and with those after it.
    """
    size: i64 = len(values)
    if not COMPILED:
        one, other = triangle(size)
        known = array(values)
        work = (known * scale).take(one) * known.take(other)
        kept, kept_squares = array(sums), array(squares)
        kept += work
        kept_squares += work * work
        return
    at: i64 = 0
    for row in range(size):
        scaled = values[row] * scale
        for column in range(row, size):
            product = scaled * values[column]
            sums[at] += product
            squares[at] += product * product
            at += 1


@cache
def triangle(size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return rows and columns of a square's half from the diagonal on, row by row; not written."""
    return np.triu_indices(size)


def _total(numbers: Vector) -> float:
    """Return the sum, added in order: NumPy's own adds in parts."""
    return float(np.add.accumulate(numbers)[-1]) if len(numbers) else 0.0
