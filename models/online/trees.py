"""A rolling ensemble of small trees: what gradient boosting finds, learnt on a stream.

The newest ROWS examples are kept, in levels of a byte. Every EVERY examples one tree is grown
on what the prior and the trees so far leave of them, and the oldest gives way: so the machine
is always about the one that a batch job would fit to these examples, and its cost comes in even
parts. What bends, jumps and works together it finds by itself; on straight lines it is
the lesser model, and the blend trusts it less.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from librt.vecs import append, vec
from mypy_extensions import i64
from numpy.typing import NDArray

from models.online import kernels
from models.online.boosting import LEVELS, NEVER, TICKS, Levels, Ticks, Tree, chances, grow
from models.online.forks import OUT
from models.online.kernels import Vector
from models.online.packing import pack_bytes, unpack_bytes

FEATURES = 128  # the first that came
ROWS = 4096
CELLS = 48 * ROWS  # with more features than 48 fewer examples are kept
GROWN_ON = 2048  # when there are twice as many, a tree is grown on each second one, in turn
LOOKED_AT = 20  # features, drawn for each tree
FIRST = 128  # examples before the first tree
EVERY = 32
YOUNG_EVERY = 16  # until as many examples are there as are kept
EAGER = 8_192  # examples after which trees that nobody counts on are grown
SPARED = 4  # times more seldom
MOST = 64  # trees
FINE = 16.0  # levels by deviation
MIDDLE = LEVELS // 2  # the level of the mean, and of what is missing


class Trees:
    """Corrects an offset. A tree is a row of `trees`, the oldest first."""

    def __init__(self) -> None:
        self.learnt = 0
        self._held = self._place = 0  # examples, and where the next one goes
        self._levels: Levels = np.zeros((0, ROWS), dtype=np.uint8)
        self._labels: NDArray[np.uint8] = np.zeros(ROWS, dtype=np.uint8)
        self._offsets: Ticks = np.zeros(ROWS, dtype=np.int64)
        self._said: Ticks = np.zeros(ROWS, dtype=np.int64)  # by the trees as they are now
        self._plant([])

    def said(self, distances: vec[float]) -> int:
        """Return what the trees add to the offset's logit, in TICKS, by distances by place."""
        asked, cuts, leaves = self._asked, self._cuts, self._leaves
        total: i64 = 0
        for tree in range(i64(len(self.trees))):
            at = 3 * tree
            branch: i64 = 2 if distances[asked[at]] >= cuts[at] else 0
            at += 1 + branch // 2
            leaf = branch + (1 if distances[asked[at]] >= cuts[at] else 0)
            total += leaves[4 * tree + leaf]
        return total

    def learn_one(
        self, distances: vec[float], said: int, offset: float, label: float, wanted: bool = True
    ) -> None:
        """Take in one example, of which `said` was said and whose logit begins at `offset`.

        `wanted`: somebody counts on the trees; else they grow slowly once they had their chance.
        """
        levels = level(kernels.array(distances)[:FEATURES])
        if len(levels) > len(self._levels):
            self._reach(len(levels))
        place, rows = self._place, len(self._labels)
        self._levels[:, place] = levels
        self._labels[place] = label >= 0.5
        self._offsets[place] = round(offset * TICKS)
        self._said[place] = said
        self._place, self._held = (place + 1) % rows, min(self._held + 1, rows)
        self.learnt += 1
        every = self._every(wanted)
        if self.learnt >= FIRST and not self.learnt % every:
            self._grow(self.learnt // every)

    def _reach(self, features: int) -> None:
        """Make room for so many features; the oldest examples give it, if it must be."""
        rows = min(ROWS, CELLS // features)
        oldest = self._place if self._held == len(self._labels) else 0
        kept = (oldest + np.arange(self._held)[-rows:]) % len(self._labels)
        held, known = len(kept), len(self._levels)
        levels = np.full((features, rows), MIDDLE, dtype=np.uint8)
        levels[:known, :held] = self._levels[:, kept]
        self._levels = levels
        self._labels, self._offsets, self._said = (
            np.concatenate([of[kept], np.zeros(rows - held, dtype=of.dtype)])
            for of in (self._labels, self._offsets, self._said)
        )
        self._held, self._place = held, held % rows

    def _every(self, wanted: bool) -> int:
        """Return how many examples one tree stands for, now."""
        if self.learnt <= ROWS:
            return YOUNG_EVERY
        return EVERY if wanted or self.learnt <= EAGER else EVERY * SPARED

    def _grow(self, number: int) -> None:
        rows = self._held
        step = max(1, rows // GROWN_ON)
        drawn, places = slice(number % step, rows, step), drawn_from(len(self._levels), number)
        said = chances(self._offsets[drawn] + self._said[drawn])
        levels = self._levels[:, drawn][places]
        tree = grow(levels, places, self._labels[drawn] - said, said * (1.0 - said))
        if tree is None:
            return
        trees = [*self.trees, tree]
        self._said[:rows] += values(tree, self._levels[:, :rows])
        if len(trees) > MOST:
            self._said[:rows] -= values(trees.pop(0), self._levels[:, :rows])
        self._plant(trees)

    def _plant(self, trees: list[Tree]) -> None:
        """Lay the trees out side by side: by tree three questions and four leaves."""
        self.trees = trees
        asked, cuts, leaves = vec[i64](), vec[float](), vec[i64]()
        for tree in trees:
            for number in range(3):
                asked = append(asked, tree[number])
                cuts = append(cuts, cut_at(tree[number + 3]))
            for leaf in tree[6:]:
                leaves = append(leaves, leaf)
        self._asked, self._cuts, self._leaves = asked, cuts, leaves

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        rows = self._held
        return {
            "learnt": self.learnt,
            "features": len(self._levels),
            "held": rows,
            "place": self._place,
            "levels": pack_bytes(self._levels[:, :rows].tobytes()),
            "labels": pack_bytes(np.packbits(self._labels[:rows]).tobytes()),
            "offsets": pack_bytes(self._offsets[:rows].astype("<i4").tobytes()),
            "trees": [list(tree) for tree in self.trees],
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the trees that `to_state` wrote, bit for bit."""
        model = cls()
        if state["features"]:
            model._reach(int(state["features"]))
        rows = model._held = int(state["held"])
        model.learnt, model._place = int(state["learnt"]), int(state["place"])
        levels, labels, offsets = (
            unpack_bytes(state[name]) for name in ("levels", "labels", "offsets")
        )
        model._levels[:, :rows] = np.frombuffer(levels, dtype=np.uint8).reshape(
            len(model._levels), rows
        )
        model._labels[:rows] = np.unpackbits(np.frombuffer(labels, dtype=np.uint8), count=rows)
        model._offsets[:rows] = np.frombuffer(offsets, dtype="<i4")
        model._plant([tuple(tree) for tree in state["trees"]])
        for tree in model.trees:  # sums of whole numbers are the same in every order
            model._said[:rows] += values(tree, model._levels[:, :rows])
        return model


def level(distances: Vector) -> Levels:
    """Return the levels of distances: FINE to a deviation, MIDDLE from the mean upwards."""
    found: Levels = np.minimum(np.floor(distances * FINE) + MIDDLE, LEVELS - 1).astype(np.uint8)
    return found


def cut_at(cut: int) -> float:
    """Return the distance at which a level begins."""
    return (cut - MIDDLE) / FINE if cut < NEVER else OUT


def values(tree: Tree, levels: Levels) -> Ticks:
    """Return what a tree says of rows, a column of levels each."""
    leaves = np.array(tree[6:], dtype=np.int64)
    root, below, reached = (
        levels[feature] >= cut for feature, cut in zip(tree[:3], tree[3:6], strict=True)
    )
    found: Ticks = leaves[np.where(root, 2 + reached, below)]
    return found


def drawn_from(features: int, number: int) -> NDArray[np.intp]:
    """Return the places that a tree looks at: others for each number, always the same ones.

    They are ordered by splitmix64 (Steele, Lea & Flood 2014) of number and place.
    """
    if features <= LOOKED_AT:
        return np.arange(features)
    mixed = np.arange(1, features + 1, dtype=np.uint64) + np.uint64(number * FEATURES)
    mixed *= np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.sort(np.argsort(mixed ^ (mixed >> np.uint64(31)), kind="stable")[:LOOKED_AT])
