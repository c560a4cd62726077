"""One small tree of a gradient boosting machine (Friedman 2001), grown on features in levels.

A tree asks at most two questions of a row, so it is a term of two features at most. A question
is chosen by histograms of the loss's slope and doubt (its second derivative) over the levels,
as LightGBM and XGBoost choose it (Ke et al. 2017; Chen & Guestrin 2016). Leaves are whole
numbers of TICKS: sums of them are exact, in whatever order trees come and go. No matrix
product and no vector exponential: the same trees on every processor.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.online.kernels import Vector

LEVELS = 256
NEVER = LEVELS  # a cut that no level reaches
TICKS = 1 << 20  # a logit of 1
RATE = 0.25  # share of a leaf's best step that is taken
SHRINK = 3.0  # doubt added to each leaf's, by which its step is divided
LEAST_DOUBT = 3.0  # of either side of a question
LEAST_GAIN = 4.0  # of a question, in squared z scores
GRAINS = 4096.0  # to which a row's slope and doubt are told apart
_APART = 2.0**26  # beyond the slopes' sum, of up to 4,096 rows, in grains; all stays below 2**53
_STEPS = 256  # of the logistic function's table, by logit
_EDGE = 16  # logits at which it ends
_SHIFT = (TICKS // _STEPS).bit_length() - 1
_CHANCES = np.array(
    [1.0 / (1.0 + math.exp(-n / _STEPS)) for n in range(-_EDGE * _STEPS, _EDGE * _STEPS + 1)]
)

Levels = NDArray[np.uint8]
Ticks = NDArray[np.int64]
Tree = tuple[int, ...]  # three features, three cuts (root, below, reached), four leaves in TICKS


class _Sums(NamedTuple):
    """Slopes and doubts of some rows, by feature and level."""

    slopes: Vector
    doubts: Vector


class _Split(NamedTuple):
    """A question: is the feature's level at least `cut`? `column` is the feature's place here."""

    column: int
    cut: int


def chances(logits: Ticks) -> Vector:
    """Return the probabilities of logits in TICKS, within 0.001."""
    steps = (logits + (TICKS // _STEPS // 2)) >> _SHIFT
    edge = _EDGE * _STEPS
    found: Vector = _CHANCES[np.minimum(np.maximum(steps, -edge), edge) + edge]
    return found


def grow(levels: Levels, places: NDArray[np.intp], slopes: Vector, doubts: Vector) -> Tree | None:
    """Return the tree that lowers the loss most; None when no question is worth asking.

    `levels`: a line for each feature, whose name is its number in `places`, and a column for
    each row; `slopes`: label less probability; `doubts`: probability times its complement.
    """
    whole = _sums(levels, slopes, doubts)
    root = _best(whole)
    if root is None:
        return None
    reached = levels[root.column] >= root.cut
    below, above = np.flatnonzero(~reached), np.flatnonzero(reached)
    few = below if len(below) <= len(above) else above
    fewer = _sums(levels[:, few], slopes[few], doubts[few])
    others = _Sums(whole.slopes - fewer.slopes, whole.doubts - fewer.doubts)
    low, high = (fewer, others) if few is below else (others, fewer)
    features, cuts, leaves = [int(places[root.column])], [root.cut], []
    for side in (low, high):
        split = _best(side) or _Split(root.column, NEVER)
        features.append(int(places[split.column]))
        cuts.append(split.cut)
        leaves += _leaves(side, split)
    return (*features, *cuts, *leaves)


def _sums(levels: Levels, slopes: Vector, doubts: Vector) -> _Sums:
    """Return running sums over the levels: entry n is of the levels up to n."""
    features = len(levels)
    starts = np.arange(0, features * LEVELS, LEVELS, dtype=np.intp)
    cells = (levels + starts[:, None]).ravel()
    # Both in one number, as whole numbers of GRAINS: one pass adds up both, and exactly.
    both = np.rint(doubts * GRAINS) * _APART + np.rint(slopes * GRAINS)
    spread = np.broadcast_to(both, levels.shape).ravel()
    counted = np.bincount(cells, spread, features * LEVELS).reshape(features, LEVELS)
    summed = np.cumsum(counted, axis=1)
    upper = np.rint(summed / _APART)
    return _Sums((summed - upper * _APART) / GRAINS, upper / GRAINS)


def _best(sums: _Sums) -> _Split | None:
    slopes, doubts = sums
    slope, doubt = slopes[:, -1:], doubts[:, -1:]
    rest, left = slope - slopes, doubt - doubts
    gains = slopes * slopes / (doubts + SHRINK) + rest * rest / (left + SHRINK)
    gains[(doubts < LEAST_DOUBT) | (left < LEAST_DOUBT)] = 0.0
    column, level = divmod(int(gains.argmax()), LEVELS)
    best, whole = gains[column, level], slope[column, 0] ** 2 / (doubt[column, 0] + SHRINK)
    if not best - whole > LEAST_GAIN:
        return None
    # Levels that nobody has part the sides as well: in the middle of them is the fairest.
    same = int(np.argmin(gains[column, level:] == best)) or 1
    return _Split(column, level + 1 + (same - 1) // 2)


def _leaves(sums: _Sums, split: _Split) -> list[int]:
    slopes, doubts = sums.slopes[split.column], sums.doubts[split.column]
    slope, doubt = float(slopes[split.cut - 1]), float(doubts[split.cut - 1])
    low = _leaf(slope, doubt)
    if split.cut == NEVER:
        return [low, low]
    return [low, _leaf(float(slopes[-1]) - slope, float(doubts[-1]) - doubt)]


def _leaf(slope: float, doubt: float) -> int:
    return round(TICKS * RATE * slope / (doubt + SHRINK))
