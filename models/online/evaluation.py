"""How good the predictions were, each judged before its label was learnt.

Totals since the beginning, and the exact figures over the newest WINDOW examples:
a constant predictor can get a good overall AUC while the prevalence drifts.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any, Self

WINDOW = 1_000
BINS = 15
DIGITS = 4  # kept of a probability, so that a snapshot stays small


class Evaluation:
    """Log loss, Brier score, AUC and calibration of probabilities against labels."""

    def __init__(self) -> None:
        self.count = 0
        self.log_loss = 0.0
        self.brier = 0.0
        self.window: deque[tuple[float, int]] = deque(maxlen=WINDOW)

    def update(self, probability: float, label: float) -> None:
        """Take in one prediction and what came true."""
        chance = round(min(1.0, max(0.0, probability)), DIGITS)
        truth = int(label >= 0.5)
        self.count += 1
        self.log_loss += _log_loss(chance, truth)
        self.brier += (chance - truth) ** 2
        self.window.append((chance, truth))

    def metrics(self) -> dict[str, float]:
        """Return the figures; those that end in _window are of the newest examples.

        A figure that is not defined (no example yet, labels of one class only) is left out.
        """
        if not self.count:
            return {"examples": 0.0}
        size = len(self.window)
        found = {
            "examples": float(self.count),
            "log_loss": self.log_loss / self.count,
            "brier": self.brier / self.count,
            "log_loss_window": sum(_log_loss(p, y) for p, y in self.window) / size,
            "brier_window": sum((p - y) ** 2 for p, y in self.window) / size,
            "ece_window": _ece(self.window),
            "base_rate_window": sum(y for _, y in self.window) / size,
        }
        area = auc(self.window)
        return found if area is None else found | {"auc_window": area}

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        return {
            "count": self.count,
            "log_loss": self.log_loss,
            "brier": self.brier,
            "window": [[p, y] for p, y in self.window],
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the evaluation that `to_state` wrote."""
        evaluation = cls()
        evaluation.count = state["count"]
        evaluation.log_loss = state["log_loss"]
        evaluation.brier = state["brier"]
        evaluation.window.extend((p, y) for p, y in state["window"])
        return evaluation


def auc(pairs: deque[tuple[float, int]]) -> float | None:
    """Return the exact area under the ROC curve, ties counted half; None with one class."""
    ordered = sorted(pairs)
    positives = sum(y for _, y in ordered)
    negatives = len(ordered) - positives
    if not positives or not negatives:
        return None
    won, below, start = 0.0, 0, 0
    while start < len(ordered):
        end = start
        while end < len(ordered) and ordered[end][0] == ordered[start][0]:
            end += 1
        ones = sum(y for _, y in ordered[start:end])
        zeros = end - start - ones
        won += ones * (below + zeros / 2)
        below += zeros
        start = end
    return won / (positives * negatives)


def _log_loss(chance: float, truth: int) -> float:
    likely = chance if truth else 1.0 - chance
    return -math.log(max(likely, 1e-6))


def _ece(pairs: deque[tuple[float, int]]) -> float:
    gaps = [0.0] * BINS
    for chance, truth in pairs:
        gaps[min(int(chance * BINS), BINS - 1)] += chance - truth
    return sum(abs(gap) for gap in gaps) / len(pairs)
