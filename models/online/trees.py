"""A rolling ensemble of small trees: what gradient boosting finds, learnt on a stream.

The newest ROWS examples are kept, in levels of a byte. Every EVERY examples one tree is grown
on what the prior and the trees so far leave of them, and the oldest gives way: so the machine
is always about the one that a batch job would fit to these examples, and its cost comes in even
parts. What bends, jumps and works together it finds by itself; on straight lines it is
the lesser model, and the blend trusts it less.
"""

from __future__ import annotations

from typing import Any, Final, Self

import numpy as np
from librt.vecs import append, vec
from mypy_extensions import i64

from models.online.boosting import LEAVES, QUESTIONS, TICKS, Tree, deep, grow, parts_of, tell
from models.online.levels import MIDDLE, Rows, cut_at, every, level, levels_of, ticks
from models.online.packing import pack_bytes, unpack_bytes

FEATURES: Final = 128  # the first that came
ROWS: Final = 4096
CELLS: Final = 48 * ROWS  # with more features than 48 fewer examples are kept
GROWN_ON: Final = 2048  # when there are twice as many, a tree is grown on each second one, in turn
LOOKED_AT: Final = 20  # features, drawn for each tree
FIRST: Final = 128  # examples before the first tree
EVERY: Final = 32
YOUNG_EVERY: Final = 16  # until as many examples are there as are kept
EAGER: Final = 8_192  # examples after which trees that nobody counts on are grown
SPARED: Final = 4  # times more seldom
MOST: Final = 64  # trees


class Trees:
    """Corrects an offset. A tree is a row of `trees`, the oldest first."""

    def __init__(self) -> None:
        self.learnt = 0
        self._features = 0
        self._held = self._place = 0  # examples, and where the next one goes
        levels, nothing = np.zeros((0, ROWS), dtype=np.uint8), np.zeros(ROWS, dtype=np.int64)
        self._rows = Rows(ROWS, levels, nothing.astype(np.uint8), nothing, nothing)
        self._plant([])

    def said(self, distances: vec[float]) -> int:
        """Return what the trees add to the offset's logit, in TICKS, by distances by place."""
        asked, cuts, leaves = self._asked, self._cuts, self._leaves
        total: i64 = 0
        for tree in range(i64(len(self.trees))):
            first: i64 = QUESTIONS * tree
            at: i64 = 0
            while at < QUESTIONS:
                question = first + at
                at += at + (2 if distances[asked[question]] >= cuts[question] else 1)
            total += leaves[LEAVES * tree + at - QUESTIONS]
        return total

    def learn_one(
        self, distances: vec[float], said: int, offset: float, label: float, wanted: bool = True
    ) -> None:
        """Take in one example, of which `said` was said and whose logit begins at `offset`.

        `wanted`: somebody counts on the trees; else they grow slowly once they had their chance.
        """
        features = min(len(distances), FEATURES)
        if features > self._features:
            self._reach(features)
        rows, place = self._rows, i64(self._place)
        size: i64 = rows.size
        for feature in range(i64(self._features)):
            rows.levels[feature * size + place] = level(distances[feature])
        rows.labels[place] = 1 if label >= 0.5 else 0
        rows.offsets[place] = round(offset * TICKS)
        rows.said[place] = said
        self._place, self._held = (place + 1) % size, min(self._held + 1, rows.size)
        self.learnt += 1
        every = self._every(wanted)
        if self.learnt >= FIRST and not self.learnt % every:
            self._grow(self.learnt // every)

    def _reach(self, features: int) -> None:
        """Make room for so many features; the oldest examples give it, if it must be."""
        old, size = self._rows, min(ROWS, CELLS // features)
        oldest = self._place if self._held == old.size else 0
        kept = (oldest + np.arange(self._held)[-size:]) % old.size
        held, more = len(kept), np.zeros(size - len(kept), dtype=np.int64)
        levels = np.full((features, size), MIDDLE, dtype=np.uint8)
        levels[: self._features, :held] = levels_of(old.levels).reshape(-1, old.size)[:, kept]
        self._rows = Rows(
            size,
            levels,
            np.concatenate([levels_of(old.labels)[kept], more.astype(np.uint8)]),
            np.concatenate([ticks(old.offsets)[kept], more]),
            np.concatenate([ticks(old.said)[kept], more]),
        )
        self._features, self._held, self._place = features, held, held % size

    def _every(self, wanted: bool) -> int:
        """Return how many examples one tree stands for, now."""
        if self.learnt <= ROWS:
            return YOUNG_EVERY
        return EVERY if wanted or self.learnt <= EAGER else EVERY * SPARED

    def _grow(self, number: int) -> None:
        held = self._held
        step = max(1, held // GROWN_ON)
        drawn = every(number % step, held, step)
        tree = grow(self._rows, drawn_from(self._features, number), drawn)
        if tree is None:
            return
        trees = [*self.trees, tree]
        tell(tree, self._rows, held, 1)
        if len(trees) > MOST:
            tell(trees.pop(0), self._rows, held, -1)
        self._plant(trees)

    def _plant(self, trees: list[Tree]) -> None:
        """Lay the trees out side by side: by tree its questions and its leaves."""
        self.trees = trees
        asked, cuts, leaves = vec[i64](), vec[float](), vec[i64]()
        for tree in trees:
            features, least, says = parts_of(tree)
            for feature in features:
                asked = append(asked, feature)
            for cut in least:
                cuts = append(cuts, cut_at(cut))
            for leaf in says:
                leaves = append(leaves, leaf)
        self._asked, self._cuts, self._leaves = asked, cuts, leaves

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        rows, held = self._rows, self._held
        levels = levels_of(rows.levels).reshape(-1, rows.size)[:, :held]
        return {
            "learnt": self.learnt,
            "features": self._features,
            "held": held,
            "place": self._place,
            "levels": pack_bytes(levels.tobytes()),
            "labels": pack_bytes(np.packbits(levels_of(rows.labels)[:held]).tobytes()),
            "offsets": pack_bytes(ticks(rows.offsets)[:held].astype("<i4").tobytes()),
            "trees": [list(tree) for tree in self.trees],
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the trees that `to_state` wrote, bit for bit."""
        model = cls()
        features = model._features = int(state["features"])
        held = model._held = int(state["held"])
        model.learnt, model._place = int(state["learnt"]), int(state["place"])
        size = min(ROWS, CELLS // features) if features else ROWS
        written, labels, offsets = (
            unpack_bytes(state[name]) for name in ("levels", "labels", "offsets")
        )
        levels = np.full((features, size), MIDDLE, dtype=np.uint8)
        levels[:, :held] = np.frombuffer(written, dtype=np.uint8).reshape(features, held)
        came = np.unpackbits(np.frombuffer(labels, dtype=np.uint8), count=held)
        began = np.frombuffer(offsets, dtype="<i4").astype(np.int64)
        more = (0, size - held)
        model._rows = Rows(
            size, levels, np.pad(came, more), np.pad(began, more), np.zeros(size, dtype=np.int64)
        )
        model._plant([deep(tuple(tree)) for tree in state["trees"]])
        for tree in model.trees:  # sums of whole numbers are the same in every order
            tell(tree, model._rows, held, 1)
        return model


def drawn_from(features: int, number: int) -> list[int]:
    """Return the places that a tree looks at: others for each number, always the same ones.

    They are ordered by splitmix64 (Steele, Lea & Flood 2014) of number and place.
    """
    if features <= LOOKED_AT:
        return list(range(features))
    mixed = np.arange(1, features + 1, dtype=np.uint64) + np.uint64(number * FEATURES)
    mixed *= np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    order = np.argsort(mixed ^ (mixed >> np.uint64(31)), kind="stable")
    return sorted(order[:LOOKED_AT].tolist())
