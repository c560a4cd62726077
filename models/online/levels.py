"""Distances in levels, and the examples that trees are grown on: bytes and whole numbers.

As in `models.online.kernels` they are kept in a `vec` where the core is compiled, in NumPy's
arrays where it is not.
"""

from __future__ import annotations

import math
from typing import Final, cast

import numpy as np
from librt.vecs import append, vec
from mypy_extensions import i64, u8
from numpy.typing import NDArray

from models.online import kernels

LEVELS: Final = 256
NEVER: Final = 256  # a cut that no level reaches
OUT: Final = 1e9  # its distance
FINE: Final = 16.0  # levels by deviation
MIDDLE: Final = 128  # the level of the mean, and of what is missing

Levels = NDArray[np.uint8]
Ticks = NDArray[np.int64]


class Rows:
    """Examples as trees see them, `size` of them at most: a line of levels for each feature."""

    def __init__(
        self, size: int, levels: Levels, labels: Levels, offsets: Ticks, said: Ticks
    ) -> None:
        self.size = size
        self.levels = bytes_of(levels)  # size for each feature, one feature after the other
        self.labels = bytes_of(labels)
        self.offsets = ticks_of(offsets)  # logits that they begin at
        self.said = ticks_of(said)  # by the trees as they are now


def level(distance: float) -> int:
    """Return the level of a distance: FINE to a deviation, MIDDLE from the mean upwards."""
    return min(math.floor(distance * FINE) + MIDDLE, LEVELS - 1)


def cut_at(cut: int) -> float:
    """Return the distance at which a level begins."""
    return (cut - MIDDLE) / FINE if cut < NEVER else OUT


def bytes_of(numbers: Levels) -> vec[u8]:
    """Return whole numbers below 256, to be written to."""
    if not kernels.COMPILED:
        return cast("vec[u8]", numbers.ravel().copy())
    found = vec[u8]()
    for number in numbers.tobytes():
        found = append(found, number)
    return found


def ticks_of(numbers: Ticks) -> vec[i64]:
    """Return whole numbers, to be written to."""
    if not kernels.COMPILED:
        return cast("vec[i64]", numbers.copy())
    found = vec[i64]()
    for number in numbers.tolist():
        found = append(found, number)
    return found


def every(first: int, stop: int, step: int) -> vec[i64]:
    """Return the whole numbers from `first` to before `stop`, `step` apart."""
    if not kernels.COMPILED:
        return cast("vec[i64]", np.arange(first, stop, step))
    found = vec[i64]()
    number: i64 = first
    end: i64 = stop
    apart: i64 = step
    while number < end:
        found = append(found, number)
        number += apart
    return found


def levels_of(numbers: vec[u8]) -> Levels:
    """Return the numbers as NumPy takes them, to be read: nothing is copied."""
    return np.asarray(numbers, dtype=np.uint8)


def ticks(numbers: vec[i64]) -> Ticks:
    """Return the numbers as NumPy takes them, to be read: nothing is copied."""
    return np.asarray(numbers, dtype=np.int64)
