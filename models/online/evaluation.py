"""How good the predictions were, each judged before its label was learnt.

Totals since the beginning, and the exact figures over the newest WINDOW examples:
a constant predictor can get a good overall AUC while the prevalence drifts.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from typing import Any, Self

WINDOW = 1_000
BINS = 15
TICKS = 10_000  # a probability is kept to this part, so that a snapshot stays small

# A mark is a prediction and what came true: 2 * ticks + truth. By mark:
_MARKS = [(mark // 2 / TICKS, mark % 2) for mark in range(2 * TICKS + 2)]
_LOSS = [-math.log(max(p if y else 1.0 - p, 1e-6)) for p, y in _MARKS]
_SQUARE = [(p - y) ** 2 for p, y in _MARKS]
_GAP = [p - y for p, y in _MARKS]
_BIN = [min(int(p * BINS), BINS - 1) for p, _ in _MARKS]


class Evaluation:
    """Log loss, Brier score, AUC and calibration of probabilities against labels."""

    def __init__(self) -> None:
        self.count = 0
        self.log_loss = 0.0
        self.brier = 0.0
        self.window: deque[int] = deque(maxlen=WINDOW)  # of marks

    def update(self, probability: float, label: float) -> None:
        """Take in one prediction and what came true."""
        mark = mark_of(probability, label)
        self.count += 1
        self.log_loss += _LOSS[mark]
        self.brier += _SQUARE[mark]
        self.window.append(mark)

    def metrics(self) -> dict[str, float]:
        """Return the figures; those that end in _window are of the newest examples.

        A figure that is not defined (no example yet, labels of one class only) is left out.
        """
        if not self.count:
            return {"examples": 0.0}
        size, marks = len(self.window), sorted(self.window)
        found = {
            "examples": float(self.count),
            "log_loss": self.log_loss / self.count,
            "brier": self.brier / self.count,
            "log_loss_window": sum(map(_LOSS.__getitem__, marks)) / size,
            "brier_window": sum(map(_SQUARE.__getitem__, marks)) / size,
            "ece_window": _ece(marks),
            "base_rate_window": sum([mark & 1 for mark in marks]) / size,
        }
        area = auc(marks)
        return found if area is None else found | {"auc_window": area}

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        return {
            "count": self.count,
            "log_loss": self.log_loss,
            "brier": self.brier,
            "marks": list(self.window),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the evaluation that `to_state` wrote."""
        evaluation = cls()
        evaluation.count = state["count"]
        evaluation.log_loss = state["log_loss"]
        evaluation.brier = state["brier"]
        evaluation.window.extend(state["marks"])
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


def _ece(marks: list[int]) -> float:
    gaps = [0.0] * BINS
    for mark in marks:
        gaps[_BIN[mark]] += _GAP[mark]
    return sum(map(abs, gaps)) / len(marks)
