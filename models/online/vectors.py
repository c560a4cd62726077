"""Arrays of doubles that the compiled core adds and multiplies without an object for each number.

Each function is a plain loop, in the order of the places: the same bits compiled or not, on
every processor. Compiled it costs a nanosecond or so a step; interpreted a hundred, more than a
list, so that whatever is not compiled is better off with lists. A `vec` is shared, not copied,
when it is assigned.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import nan
from typing import Final

from librt.vecs import append, vec
from mypy_extensions import i64

_NAN: Final = nan


def zeros(size: i64) -> vec[float]:
    """Return so many zeros."""
    return vec[float]([0.0] * size)  # compiled, no list is made: a fifth of appending them


def unknown(size: i64) -> vec[float]:
    """Return so many NaNs: numbers that nobody knows."""
    return vec[float]([_NAN] * size)


def of(numbers: Iterable[float]) -> vec[float]:
    """Return the numbers, in order."""
    found = vec[float]()
    for number in numbers:
        found = append(found, number)
    return found


def copied(numbers: vec[float]) -> vec[float]:
    """Return a copy, to be written to without its original's changing."""
    found = vec[float]()
    for place in range(i64(len(numbers))):
        found = append(found, numbers[place])
    return found


def dot(one: vec[float], other: vec[float]) -> float:
    """Return the sum of products; `other` may be the longer, whose rest counts nothing."""
    total = 0.0
    for place in range(i64(len(one))):
        total += one[place] * other[place]
    return total
