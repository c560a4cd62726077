"""How good the predictions were, each judged before its label was learnt.

Totals since the beginning, and the exact figures over the newest WINDOW examples:
a constant predictor can get a good overall AUC while the prevalence drifts.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from typing import Any, Self

from models.online.packing import pack_marks, unpack_marks

WINDOW = 1_000
BINS = 15
TENTHS = 10
TICKS = 10_000  # a probability is kept to this part, so that a snapshot stays small

# A mark is a prediction and what came true: 2 * ticks + truth. By mark:
_MARKS = [(mark // 2 / TICKS, mark % 2) for mark in range(2 * TICKS + 2)]
_LOSS = [-math.log(max(p if y else 1.0 - p, 1e-6)) for p, y in _MARKS]
_SQUARE = [(p - y) ** 2 for p, y in _MARKS]
_BIN = [min(int(p * BINS), BINS - 1) for p, _ in _MARKS]

Bin = tuple[int, float, float]  # examples, mean prediction, share that came true


class Evaluation:
    """Log loss, Brier score, AUC, calibration and lift of probabilities against labels."""

    def __init__(self) -> None:
        self.count = 0
        self.log_loss = 0.0
        self.brier = 0.0
        self.window: deque[int] = deque(maxlen=WINDOW)  # of marks
        # By bin, since the beginning: examples, ticks predicted, that came true. Whole numbers.
        self._bins = [[0, 0, 0] for _ in range(BINS)]

    def update(self, probability: float, label: float) -> float:
        """Take in one prediction and what came true; return its log loss."""
        mark = mark_of(probability, label)
        loss = _LOSS[mark]
        self.count += 1
        self.log_loss += loss
        self.brier += _SQUARE[mark]
        self.window.append(mark)
        _add(self._bins, mark)
        return loss

    def metrics(self) -> dict[str, float]:
        """Return the figures; those that end in _window are of the newest examples.

        A figure that is not defined (no example yet, labels of one class only) is left out.
        """
        if not self.count:
            return {"examples": 0.0}
        size, marks = len(self.window), sorted(self.window)
        newest = [[0, 0, 0] for _ in range(BINS)]
        for mark in marks:
            _add(newest, mark)
        found = {
            "examples": float(self.count),
            "log_loss": self.log_loss / self.count,
            "brier": self.brier / self.count,
            "ece": _ece(self._bins),
            "base_rate": sum(true for _, _, true in self._bins) / self.count,
            "log_loss_window": sum(map(_LOSS.__getitem__, marks)) / size,
            "brier_window": sum(map(_SQUARE.__getitem__, marks)) / size,
            "ece_window": _ece(newest),
            "base_rate_window": sum([mark & 1 for mark in marks]) / size,
            "predicted_window": sum([mark >> 1 for mark in marks]) / TICKS / size,
        }
        area = auc(marks)
        if area is not None:
            found["auc_window"] = area
            found["lift_window"] = lift(marks)[0]
        return found

    def calibration(self) -> list[Bin]:
        """Return how often what was predicted came true, by equal bins of the prediction.

        Since the beginning; a bin that nothing fell into is left out.
        """
        return [(n, ticks / TICKS / n, true / n) for n, ticks, true in self._bins if n]

    def lift(self) -> list[float]:
        """Return the lift of each tenth of the newest examples; empty with labels of one class."""
        return lift(self.window)

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        return {
            "count": self.count,
            "log_loss": self.log_loss,
            "brier": self.brier,
            "bins": [list(part) for part in self._bins],
            "marks": pack_marks(self.window),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the evaluation that `to_state` wrote."""
        evaluation = cls()
        evaluation.count = state["count"]
        evaluation.log_loss = state["log_loss"]
        evaluation.brier = state["brier"]
        evaluation._bins = [list(part) for part in state["bins"]]
        evaluation.window.extend(unpack_marks(state["marks"]))
        return evaluation


def mark_of(probability: float, label: float) -> int:
    """Return the mark of one prediction and what came true."""
    return 2 * round(min(1.0, max(0.0, probability)) * TICKS) + (label >= 0.5)


def auc(marks: Iterable[int]) -> float | None:
    """Return the exact area under the ROC curve, ties counted half; None with one class."""
    ordered = sorted(marks)  # at the same probability those that came false come first
    won = below = level = positives = 0  # won: pairs, counted double so that halves are whole
    last = -1
    for mark in ordered:
        ticks = mark >> 1
        if ticks != last:
            below, level, last = below + level, 0, ticks
        if mark & 1:
            won += 2 * below + level
            positives += 1
        else:
            level += 1
    negatives = len(ordered) - positives
    return won / (2 * positives * negatives) if positives and negatives else None


def lift(marks: Iterable[int]) -> list[float]:
    """Return how much oftener than usual it came true, by tenth, the highest predictions first.

    1 is what chance gives; equal predictions share what came true of them evenly. Empty with
    labels of one class, or fewer examples than tenths.
    """
    ordered = sorted(marks, reverse=True)
    size = len(ordered)
    positives = sum(mark & 1 for mark in ordered)
    if size < TENTHS or positives in (0, size):
        return []
    shares = _evenly(ordered)
    borders = [tenth * size // TENTHS for tenth in range(TENTHS + 1)]
    usual = positives / size
    return [
        sum(shares[start:end]) / (end - start) / usual
        for start, end in zip(borders, borders[1:], strict=False)
    ]


def _evenly(ordered: list[int]) -> list[float]:
    """Return what came true at each place, where equal predictions have their common share."""
    shares: list[float] = []
    start = 0
    while start < len(ordered):
        end = start
        while end < len(ordered) and ordered[end] >> 1 == ordered[start] >> 1:
            end += 1
        true = sum(mark & 1 for mark in ordered[start:end])
        shares += [true / (end - start)] * (end - start)
        start = end
    return shares


def _add(bins: list[list[int]], mark: int) -> None:
    part = bins[_BIN[mark]]
    part[0] += 1
    part[1] += mark >> 1
    part[2] += mark & 1


def _ece(bins: list[list[int]]) -> float:
    """Return the expected calibration error: how far predictions are from frequencies."""
    count = sum(n for n, _, _ in bins)
    return sum(abs(ticks / TICKS - true) for _, ticks, true in bins) / count
