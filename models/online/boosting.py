"""One small tree of a gradient boosting machine (Friedman 2001), grown on features in levels.

A tree asks at most DEPTH questions of a row, so it is a term of as many features at most. Leaves
are whole numbers of TICKS: sums of them are exact, in whatever order trees come and go. No matrix
product and no vector exponential: the same trees on every processor.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple, cast

import numpy as np
from librt.vecs import append, vec
from mypy_extensions import i64

from models.online import kernels, vectors
from models.online.histograms import (
    APART,
    GRAINS,
    LEAST_DOUBT,
    NEAREST,
    SHRINK,
    Split,
    Sums,
    apart,
    best,
    less,
    sums,
)
from models.online.levels import NEVER, Rows, levels_of, ticks

DEPTH: Final = 3  # questions to a leaf
QUESTIONS: Final = (
    7  # of a tree, one level after the other: below question n stand 2n + 1 and 2n + 2
)
LEAVES: Final = 8
# Of a question on each level, in squared z scores: the deepest are the best of the most, by chance.
LEAST_GAIN: Final = (4.0, 4.0, 7.0)
TICKS: Final = 1 << 20  # a logit of 1
RATE: Final = 0.25  # share of a leaf's best step that is taken
_STEPS: Final = 256  # of the logistic function's table, by logit
_EDGE: Final = 16 * _STEPS  # steps at which it ends
_SHIFT: Final = (TICKS // _STEPS).bit_length() - 1
_HALF: Final = TICKS // _STEPS // 2
_CHANCES = vectors.of(1.0 / (1.0 + math.exp(-n / _STEPS)) for n in range(-_EDGE, _EDGE + 1))

Tree = tuple[int, ...]  # the questions' features, then their cuts, then the leaves in TICKS


class _Side(NamedTuple):
    """Rows drawn that one leaf has, their weights, and the sums by which to part them further.

    `whole`: of all their weights. Without `sums` no question is worth asking of them.
    """

    drawn: vec[i64]
    parts: vec[float]
    whole: float
    sums: Sums | None


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
        return cast("vec[float]", np.rint(doubts * GRAINS) * APART + np.rint(slopes * GRAINS))
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
        doubt = (one * (1.0 - one) * GRAINS + NEAREST) - NEAREST
        found[number] = doubt * APART + (((label - one) * GRAINS + NEAREST) - NEAREST)
    return found


def grow(rows: Rows, places: list[int], drawn: vec[i64]) -> Tree | None:
    """Return the tree that lowers the loss most of the rows drawn, by the features at `places`.

    None when no question is worth asking.
    """
    parts = weights(rows, drawn)
    found = sums(rows, places, drawn, parts)
    sides = [_Side(drawn, parts, found.whole, found)]
    asked: list[int] = []
    cuts: list[int] = []
    for level in range(DEPTH):
        below: list[_Side] = []
        for side in sides:
            split = None if side.sums is None else best(side.sums, LEAST_GAIN[level])
            if split is None:
                if not level:
                    return None
                # What stands below it is never reached: any feature does.
                asked.append(asked[0])
                cuts.append(NEVER)
                below += [_Side(side.drawn, side.parts, side.whole, None)] * 2
                continue
            asked.append(places[split.column])
            cuts.append(split.cut)
            below += _divided(rows, places, side, split, level + 1 < DEPTH)
        sides = below
    return (*asked, *cuts, *[_leaf(side.whole) for side in sides])


def tell(tree: Tree, rows: Rows, held: int, sign: int) -> None:
    """Add what a tree says, times `sign`, to what is said of the first rows held."""
    if not kernels.COMPILED:
        levels = levels_of(rows.levels).reshape(-1, rows.size)[:, :held]
        asked, cuts, leaves = (np.array(part) for part in parts_of(tree))
        at, every = np.zeros(held, dtype=np.intp), np.arange(held)
        for _ in range(DEPTH):
            at = 2 * at + 1 + (levels[asked[at], every] >= cuts[at])
        said = ticks(rows.said)
        said[:held] += sign * leaves[at - QUESTIONS]
        return
    found, known, size = rows.said, rows.levels, i64(rows.size)
    starts, least, says = vec[i64](), vec[i64](), vec[i64]()
    for question in range(QUESTIONS):
        starts = append(starts, i64(tree[question]) * size)
        least = append(least, i64(tree[QUESTIONS + question]))
    for leaf in range(LEAVES):
        says = append(says, i64(tree[2 * QUESTIONS + leaf]) * i64(sign))
    first, first_cut = starts[0], least[0]
    for row in range(i64(held)):
        near = 1 + i64(i64(known[first + row]) >= first_cut)
        far = 2 * near + 1 + i64(i64(known[starts[near] + row]) >= least[near])
        last = 2 * far + 1 + i64(i64(known[starts[far] + row]) >= least[far])
        found[row] += says[last - QUESTIONS]


def parts_of(tree: Tree) -> tuple[Tree, Tree, Tree]:
    """Return a tree's features, its cuts and its leaves."""
    return tree[:QUESTIONS], tree[QUESTIONS : 2 * QUESTIONS], tree[2 * QUESTIONS :]


def deep(tree: Tree) -> Tree:
    """Return a tree in three levels; one of two, as they were grown before, asks nothing more.

    Such a one is three features (root, below, reached), three cuts and four leaves.
    """
    if len(tree) == 2 * QUESTIONS + LEAVES:
        return tree
    root, below, above, *rest = tree
    asked = (root, below, above, below, below, above, above)
    return (*asked, *rest[:3], *[NEVER] * 4, *[leaf for leaf in rest[3:] for _ in range(2)])


def _divided(
    rows: Rows, places: list[int], side: _Side, split: Split, further: bool
) -> list[_Side]:
    """Return the sides of a question; the rows of either only where they may be parted further.

    The fewer are added up; what is left of the whole are the others.
    """
    low, high = split.low, side.whole - split.low
    if not further or (_few(low) and _few(high)) or side.sums is None:
        nobody = _Side(vec[i64](), vec[float](), low, None)
        return [nobody, nobody._replace(whole=high)]
    place = places[split.column]
    below, less_parts = _parted(rows, place, split.cut, side.drawn, side.parts, reached=False)
    above, more_parts = _parted(rows, place, split.cut, side.drawn, side.parts, reached=True)
    if len(below) <= len(above):
        fewer = sums(rows, places, below, less_parts)
        found = [fewer, less(side.sums, fewer)]
    else:
        fewer = sums(rows, places, above, more_parts)
        found = [less(side.sums, fewer), fewer]
    return [
        _Side(below, less_parts, low, found[0]),
        _Side(above, more_parts, high, found[1]),
    ]


def _few(whole: float) -> bool:
    """Tell whether there are too few rows to ask anything of them."""
    return apart(whole)[1] < 2.0 * LEAST_DOUBT


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


def _leaf(whole: float) -> int:
    slope, doubt = apart(whole)
    return round(TICKS * RATE * slope / (doubt + SHRINK))
