"""One small tree of a gradient boosting machine (Friedman 2001), grown on features in levels.

A tree asks at most two questions of a row, so it is a term of two features at most. A question
is chosen by histograms of the loss's slope and doubt (its second derivative) over the levels,
as LightGBM and XGBoost choose it (Ke et al. 2017; Chen & Guestrin 2016). Leaves are whole
numbers of TICKS: sums of them are exact, in whatever order trees come and go. No matrix
product and no vector exponential: the same trees on every processor.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple, cast

import numpy as np
from librt.vecs import append, vec
from mypy_extensions import i64

from models.online import kernels, vectors
from models.online.levels import Rows, levels_of, ticks

LEVELS: Final = 256
NEVER: Final = LEVELS  # a cut that no level reaches
TICKS: Final = 1 << 20  # a logit of 1
RATE: Final = 0.25  # share of a leaf's best step that is taken
SHRINK: Final = 3.0  # doubt added to each leaf's, by which its step is divided
LEAST_DOUBT: Final = 3.0  # of either side of a question
LEAST_GAIN: Final = 4.0  # of a question, in squared z scores
GRAINS: Final = 4096.0  # to which a row's slope and doubt are told apart
# Beyond the slopes' sum, of up to 4,096 rows, in grains; all stays below 2**53.
_APART: Final = 2.0**26
# Added and taken away, it leaves the nearest whole number, as rint does.
_NEAREST: Final = 1.5 * 2.0**52
_STEPS: Final = 256  # of the logistic function's table, by logit
_EDGE: Final = 16 * _STEPS  # steps at which it ends
_SHIFT: Final = (TICKS // _STEPS).bit_length() - 1
_HALF: Final = TICKS // _STEPS // 2
_CHANCES = vectors.of(1.0 / (1.0 + math.exp(-n / _STEPS)) for n in range(-_EDGE, _EDGE + 1))

Tree = tuple[int, ...]  # three features, three cuts (root, below, reached), four leaves in TICKS


class _Split(NamedTuple):
    """A question: is the feature's level at least `cut`? `column` is the feature's place here."""

    column: int
    cut: int


class _Sums(NamedTuple):
    """Slopes and doubts of some rows, in one number, by feature and level; and of all of them."""

    cells: vec[float]
    whole: float


def weights(rows: Rows, drawn: vec[i64]) -> vec[float]:
    """Return slope and doubt of the rows drawn: label less chance, chance times its complement.

    Both in one number, as whole numbers of GRAINS: one pass adds up both, and exactly. The
    chance is that of its logit to 1 / 256.
    """
    if not kernels.COMPILED:
        at = ticks(drawn)
        steps = (ticks(rows.offsets)[at] + ticks(rows.said)[at] + _HALF) >> _SHIFT
        chance = np.asarray(_CHANCES)[np.minimum(np.maximum(steps, -_EDGE), _EDGE) + _EDGE]
        slopes, doubts = levels_of(rows.labels)[at] - chance, chance * (1.0 - chance)
        return cast("vec[float]", np.rint(doubts * GRAINS) * _APART + np.rint(slopes * GRAINS))
    offsets, said, labels, table = rows.offsets, rows.said, rows.labels, _CHANCES
    edge: i64 = _EDGE
    half: i64 = _HALF
    shift: i64 = _SHIFT
    found = vectors.zeros(len(drawn))
    for number in range(i64(len(drawn))):
        row = drawn[number]
        step = (offsets[row] + said[row] + half) >> shift
        one = table[max(-edge, min(edge, step)) + edge]
        label = 1.0 if i64(labels[row]) else 0.0
        doubt = (one * (1.0 - one) * GRAINS + _NEAREST) - _NEAREST
        found[number] = doubt * _APART + (((label - one) * GRAINS + _NEAREST) - _NEAREST)
    return found


def grow(rows: Rows, places: list[int], drawn: vec[i64]) -> Tree | None:
    """Return the tree that lowers the loss most of the rows drawn, by the features at `places`.

    None when no question is worth asking.
    """
    parts = weights(rows, drawn)
    whole = _sums(rows, places, drawn, parts)
    root = _best(whole)
    if root is None:
        return None
    below, low = _parted(rows, places[root.column], root.cut, drawn, parts, reached=False)
    above, high = _parted(rows, places[root.column], root.cut, drawn, parts, reached=True)
    if len(below) <= len(above):
        fewer = _sums(rows, places, below, low)
        sides = (fewer, _less(whole, fewer))
    else:
        fewer = _sums(rows, places, above, high)
        sides = (_less(whole, fewer), fewer)
    features, cuts, leaves = [places[root.column]], [root.cut], []
    for side in sides:
        split = _best(side) or _Split(root.column, NEVER)
        features.append(places[split.column])
        cuts.append(split.cut)
        leaves += _leaves(side, split)
    return (*features, *cuts, *leaves)


def tell(tree: Tree, rows: Rows, held: int, sign: int) -> None:
    """Add what a tree says, times `sign`, to what is said of the first rows held."""
    if not kernels.COMPILED:
        levels, leaves = levels_of(rows.levels).reshape(-1, rows.size), np.array(tree[6:])
        root, below, reached = (
            levels[feature, :held] >= cut for feature, cut in zip(tree[:3], tree[3:6], strict=True)
        )
        said = ticks(rows.said)
        said[:held] += sign * leaves[np.where(root, 2 + reached, below)]
        return
    found, known, size = rows.said, rows.levels, i64(rows.size)
    first, second, third = i64(tree[0]) * size, i64(tree[1]) * size, i64(tree[2]) * size
    cut, low, high = i64(tree[3]), i64(tree[4]), i64(tree[5])
    says = vec[i64]()
    for leaf in tree[6:]:
        says = append(says, leaf * sign)
    for row in range(i64(held)):
        near = i64(i64(known[second + row]) >= low)
        far = 2 + i64(i64(known[third + row]) >= high)
        found[row] += says[near + i64(i64(known[first + row]) >= cut) * (far - near)]


def _sums(rows: Rows, places: list[int], drawn: vec[i64], parts: vec[float]) -> _Sums:
    features: i64 = len(places)
    if not kernels.COMPILED:
        levels = levels_of(rows.levels).reshape(-1, rows.size)[places][:, ticks(drawn)]
        starts = np.arange(0, features * LEVELS, LEVELS, dtype=np.intp)
        spread = np.broadcast_to(kernels.array(parts), levels.shape).ravel()
        counted = np.bincount((levels + starts[:, None]).ravel(), spread, features * LEVELS)
        return _Sums(cast("vec[float]", counted), float(kernels.array(parts).sum()))
    found, known = vectors.zeros(features * LEVELS), rows.levels
    whole = 0.0
    for number in range(i64(len(parts))):
        whole += parts[number]
    for column in range(features):
        start = i64(places[column]) * i64(rows.size)
        cell = column * i64(LEVELS)
        for number in range(i64(len(drawn))):
            found[cell + i64(known[start + drawn[number]])] += parts[number]
    return _Sums(found, whole)


def _less(whole: _Sums, fewer: _Sums) -> _Sums:
    """Return the sums of the other rows."""
    left = kernels.copied(whole.cells)
    kernels.add(left, fewer.cells, -1.0)
    return _Sums(left, whole.whole - fewer.whole)


def _parted(
    rows: Rows, place: int, cut: int, drawn: vec[i64], parts: vec[float], *, reached: bool
) -> tuple[vec[i64], vec[float]]:
    """Return the rows, with their weights, that reach a cut of the feature at `place`, or don't."""
    if not kernels.COMPILED:
        levels = levels_of(rows.levels).reshape(-1, rows.size)[place, ticks(drawn)]
        asked = (levels >= cut) == reached
        return (
            cast("vec[i64]", ticks(drawn)[asked]),
            cast("vec[float]", kernels.array(parts)[asked]),
        )
    start, least = i64(place) * i64(rows.size), i64(cut)
    found, kept, known = vec[i64](), vec[float](), rows.levels
    for number in range(i64(len(drawn))):
        row = drawn[number]
        if (i64(known[start + row]) >= least) == reached:
            found = append(found, row)
            kept = append(kept, parts[number])
    return found, kept


def _best(sums: _Sums) -> _Split | None:
    """Return the question that lowers the loss most; None where none does enough.

    Levels that nobody has part the sides as well: in the middle of them is the fairest.
    """
    slope, doubt = _apart(sums.whole)
    if kernels.COMPILED:
        gain, column, first, last = _strongest(sums.cells, slope, doubt)
    else:
        gain, column, first, last = _strongest_by_numpy(sums.cells, slope, doubt)
    if not gain - slope * slope / (doubt + SHRINK) > LEAST_GAIN:
        return None
    return _Split(column, first + 1 + (last - first) // 2)


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
    upper = np.rint(summed / _APART)
    slopes, doubts = (summed - upper * _APART) / GRAINS, upper / GRAINS
    rest, left = slope - slopes, doubt - doubts
    gains = slopes * slopes / (doubts + SHRINK) + rest * rest / (left + SHRINK)
    gains[(doubts < LEAST_DOUBT) | (left < LEAST_DOUBT)] = 0.0
    column, first = divmod(int(gains.argmax()), LEVELS)
    best = gains[column, first]
    same = int(np.argmin(gains[column, first:] == best)) or 1
    return float(best), column, first, first + same - 1


def _gain(summed: float, slope: float, doubt: float) -> float:
    """Return what parting off rows that sum up to so much gains, beside leaving all as one."""
    one, sure = _apart(summed)
    rest, left = slope - one, doubt - sure
    if sure < LEAST_DOUBT or left < LEAST_DOUBT:
        return 0.0
    return one * one / (sure + SHRINK) + rest * rest / (left + SHRINK)


def _apart(summed: float) -> tuple[float, float]:
    """Return slope and doubt of what was added up as one."""
    upper = (summed / _APART + _NEAREST) - _NEAREST
    return (summed - upper * _APART) / GRAINS, upper / GRAINS


def _leaves(sums: _Sums, split: _Split) -> list[int]:
    cells, start = sums.cells, split.column * LEVELS
    summed = 0.0
    for cell in range(start, start + split.cut):
        summed += cells[cell]
    low = _leaf(summed)
    return [low, low] if split.cut == NEVER else [low, _leaf(sums.whole - summed)]


def _leaf(summed: float) -> int:
    slope, doubt = _apart(summed)
    return round(TICKS * RATE * slope / (doubt + SHRINK))
