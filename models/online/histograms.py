"""Slopes and doubts of rows, added up by feature and level, and the best question by them.

A question is chosen by histograms of the loss's slope and doubt (its second derivative) over
the levels, as LightGBM and XGBoost choose it (Ke et al. 2017; Chen & Guestrin 2016).
"""

from __future__ import annotations

from typing import Final, NamedTuple, cast

import numpy as np
from librt.vecs import vec
from mypy_extensions import i64

from models.online import kernels, vectors
from models.online.levels import LEVELS, Rows, levels_of, ticks

SHRINK: Final = 3.0  # doubt added to each leaf's, by which its step is divided
LEAST_DOUBT: Final = 3.0  # of either side of a question
GRAINS: Final = 4096.0  # to which a row's slope and doubt are told apart
# Beyond the slopes' sum, of up to 4,096 rows, in grains; all stays below 2**53.
APART: Final = 2.0**26
# Added and taken away, it leaves the nearest whole number, as rint does.
NEAREST: Final = 1.5 * 2.0**52


class Split(NamedTuple):
    """A question: is the feature's level at least `cut`? `column` is the feature's place here.

    `low`: the sum of those of whom it is not.
    """

    column: int
    cut: int
    low: float


class Sums(NamedTuple):
    """Slopes and doubts of some rows, in one number, by feature and level; and of all of them."""

    cells: vec[float]
    whole: float


def sums(rows: Rows, places: list[int], drawn: vec[i64], parts: vec[float]) -> Sums:
    """Return the sums of the rows drawn over the features at `places`."""
    features: i64 = len(places)
    if not kernels.COMPILED:
        levels = levels_of(rows.levels).reshape(-1, rows.size)[places][:, ticks(drawn)]
        starts = np.arange(0, features * LEVELS, LEVELS, dtype=np.intp)
        spread = np.broadcast_to(kernels.array(parts), levels.shape).ravel()
        counted = np.bincount((levels + starts[:, None]).ravel(), spread, features * LEVELS)
        return Sums(cast("vec[float]", counted), float(kernels.array(parts).sum()))
    found, known = vectors.zeros(features * LEVELS), rows.levels
    whole = 0.0
    for number in range(i64(len(parts))):
        whole += parts[number]
    for column in range(features):
        start = i64(places[column]) * i64(rows.size)
        cell = column * i64(LEVELS)
        for number in range(i64(len(drawn))):
            found[cell + i64(known[start + drawn[number]])] += parts[number]
    return Sums(found, whole)


def less(whole: Sums, fewer: Sums) -> Sums:
    """Return the sums of the other rows."""
    left = kernels.copied(whole.cells)
    kernels.add(left, fewer.cells, -1.0)
    return Sums(left, whole.whole - fewer.whole)


def best(found: Sums, least: float) -> Split | None:
    """Return the question that lowers the loss most; None where none gains `least`.

    Levels that nobody has part the sides as well: in the middle of them is the fairest.
    """
    slope, doubt = apart(found.whole)
    if kernels.COMPILED:
        gain, column, first, last = _strongest(found.cells, slope, doubt)
    else:
        gain, column, first, last = _strongest_by_numpy(found.cells, slope, doubt)
    if not gain - slope * slope / (doubt + SHRINK) > least:
        return None
    cut = first + 1 + (last - first) // 2
    low, start = 0.0, column * LEVELS
    for cell in range(start, start + cut):
        low += found.cells[cell]
    return Split(column, cut, low)


def _strongest(cells: vec[float], slope: float, doubt: float) -> tuple[float, int, int, int]:
    """Return the highest gain, the first feature that has it, and its first and last level."""
    best, found, first, last = 0.0, i64(0), i64(0), i64(0)
    for column in range(i64(len(cells)) // LEVELS):
        summed, gain = 0.0, 0.0
        for level in range(i64(LEVELS)):
            cell = cells[column * LEVELS + level]
            if cell:
                summed += cell
                gain = _gain(summed, slope, doubt)
            if gain > best:
                best, found, first, last = gain, column, level, level
            elif gain == best and column == found and last == level - 1:
                last = level
    return best, found, first, last


def _strongest_by_numpy(
    cells: vec[float], slope: float, doubt: float
) -> tuple[float, int, int, int]:
    """Return what `_strongest` does."""
    summed = np.cumsum(kernels.array(cells).reshape(-1, LEVELS), axis=1)
    upper = np.rint(summed / APART)
    slopes, doubts = (summed - upper * APART) / GRAINS, upper / GRAINS
    rest, left = slope - slopes, doubt - doubts
    gains = slopes * slopes / (doubts + SHRINK) + rest * rest / (left + SHRINK)
    gains[(doubts < LEAST_DOUBT) | (left < LEAST_DOUBT)] = 0.0
    column, first = divmod(int(gains.argmax()), LEVELS)
    best = gains[column, first]
    same = int(np.argmin(gains[column, first:] == best)) or 1
    return float(best), column, first, first + same - 1


def _gain(summed: float, slope: float, doubt: float) -> float:
    """Return what parting off rows that sum up to so much gains, beside leaving all as one."""
    one, sure = apart(summed)
    rest, left = slope - one, doubt - sure
    if sure < LEAST_DOUBT or left < LEAST_DOUBT:
        return 0.0
    return one * one / (sure + SHRINK) + rest * rest / (left + SHRINK)


def apart(summed: float) -> tuple[float, float]:
    """Return slope and doubt of what was added up as one."""
    upper = (summed / APART + NEAREST) - NEAREST
    return (summed - upper * APART) / GRAINS, upper / GRAINS
