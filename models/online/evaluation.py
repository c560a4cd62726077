"""How good the predictions were, each judged before its label was learnt.

Totals since the beginning, and the exact figures over the newest WINDOW examples:
a constant predictor can get a good overall AUC while the prevalence drifts.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from models.online.packing import pack_marks, unpack_marks

WINDOW: Final = 1_000
BINS: Final = 15
TENTHS: Final = 10
TICKS: Final = 10_000  # a probability is kept to this part, so that a snapshot stays small

# A mark is a prediction and what came true: 2 * ticks + truth. By mark:
_MARKS = [(mark // 2 / TICKS, mark % 2) for mark in range(2 * TICKS + 2)]
_LOSS = [-math.log(max(p if y else 1.0 - p, 1e-6)) for p, y in _MARKS]
_SQUARE = [(p - y) ** 2 for p, y in _MARKS]
_BIN = [min(int(p * BINS), BINS - 1) for p, _ in _MARKS]
_BINS = np.array(_BIN)
# Losses and squares, each as a coarse part and what is left of it: up to 1,000 of either add up
# in doubles without rounding, so that their sum is rounded once, whatever the order.
_FINE: Final = 2.0**36
_WHOLE = np.array([_LOSS, _SQUARE])
_COARSE = np.rint(_WHOLE * _FINE) / _FINE
_REST = _WHOLE - _COARSE
_STEPS = np.arange(TENTHS + 1.0)

Ints = NDArray[np.int64]
Bin = tuple[int, float, float]  # examples, mean prediction, share that came true


class Evaluation:
    """Log loss, Brier score, AUC, calibration and lift of probabilities against labels."""

    def __init__(self) -> None:
        self.count = 0
        self.log_loss = 0.0
        self.brier = 0.0
        self.window = array("H")  # of marks, the oldest first
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
        if len(self.window) > WINDOW:
            del self.window[0]
        _add(self._bins, mark)
        return loss

    def metrics(self) -> dict[str, float]:
        """Return the figures; those that end in _window are of the newest examples.

        A figure that is not defined (no example yet, labels of one class only) is left out.
        """
        return self.told()[0]

    def told(self) -> tuple[dict[str, float], list[float]]:
        """Return what `metrics` and `lift` do: together they cost little more than one."""
        if not self.count:
            return {"examples": 0.0}, []
        size, marks = len(self.window), self._marks()
        loss, square = _sums(marks)
        levels = _levels(marks)
        found = {
            "examples": float(self.count),
            "log_loss": self.log_loss / self.count,
            "brier": self.brier / self.count,
            "ece": _ece(*np.array(self._bins).T),
            "base_rate": sum(true for _, _, true in self._bins) / self.count,
            "log_loss_window": loss / size,
            "brier_window": square / size,
            "ece_window": self.ece(),
            "base_rate_window": int((marks & 1).sum()) / size,
            "predicted_window": int((marks >> 1).sum()) / TICKS / size,
        }
        area = _area(*levels)
        if area is not None:
            found["auc_window"] = area
        tenths = _tenths(*levels)
        if tenths:
            found["lift_window"] = tenths[0]
        return found, tenths

    def ece(self) -> float:
        """Return the calibration error over the newest examples; 1 while there are none."""
        marks = self._marks()
        if not len(marks):
            return 1.0
        bins = _BINS[marks]
        # Sums of whole numbers, exact in doubles.
        counts, ticks, true = (
            np.bincount(bins, weights, BINS) for weights in (None, marks >> 1, marks & 1)
        )
        return _ece(counts, ticks, true)

    def calibration(self) -> list[Bin]:
        """Return how often what was predicted came true, by equal bins of the prediction.

        Since the beginning; a bin that nothing fell into is left out.
        """
        return [(n, ticks / TICKS / n, true / n) for n, ticks, true in self._bins if n]

    def lift(self) -> list[float]:
        """Return how much oftener than usual it came true, by tenth of the newest examples.

        The highest predictions first; 1 is what chance gives, and equal predictions share what
        came true of them evenly. Empty with labels of one class, or fewer examples than tenths.
        """
        return self.told()[1]

    def _marks(self) -> Ints:
        return np.array(self.window, dtype=np.int64)

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


def auc(marks: Iterable[int] | Ints) -> float | None:
    """Return the exact area under the ROC curve, ties counted half; None with one class."""
    return _area(*_levels(marks))


def _sums(marks: Ints) -> list[float]:
    """Return the sums of losses and of squares, as `math.fsum` would."""
    coarse = np.add.reduce(_COARSE.take(marks, axis=1), axis=1)
    found: list[float] = (coarse + np.add.reduce(_REST.take(marks, axis=1), axis=1)).tolist()
    return found


def _area(levels: Ints, true: Ints) -> float | None:
    false = levels - true
    positives, negatives = int(true.sum()), int(false.sum())
    if not positives or not negatives:
        return None
    below = np.cumsum(false) - false
    won = int((true * (2 * below + false)).sum())  # pairs, doubled so that halves are whole
    return won / (2 * positives * negatives)


def _tenths(levels: Ints, true: Ints) -> list[float]:
    size, positives = int(levels.sum()), int(true.sum())
    if size < TENTHS or positives in (0, size):
        return []
    # How many came true among so many with the highest predictions, straight lines between.
    places = np.zeros(len(levels) + 1)
    reached = np.zeros(len(levels) + 1)
    np.cumsum(levels[::-1], out=places[1:])
    np.cumsum(true[::-1], out=reached[1:])
    borders = _STEPS * (size / TENTHS)
    borders[-1] = size
    came = np.interp(borders, places, reached)
    found: list[float] = ((came[1:] - came[:-1]) * TENTHS / positives).tolist()
    return found


def _levels(marks: Iterable[int] | Ints) -> tuple[Ints, Ints]:
    """Return how many there are of each prediction, ascending, and how many of them came true."""
    given = marks if isinstance(marks, np.ndarray) else np.fromiter(marks, np.int64)
    size = len(given)
    ordered = given.copy()
    ordered.sort()
    levels = ordered >> 1
    first = np.ones(size, dtype=np.bool_)
    np.not_equal(levels[1:], levels[:-1], out=first[1:])
    begins = first.nonzero()[0]
    ends = np.empty_like(begins)
    ends[:-1], ends[-1:] = begins[1:], size
    upto = np.zeros(size + 1, dtype=np.int64)
    np.cumsum(ordered & 1, out=upto[1:])
    return ends - begins, upto.take(ends) - upto.take(begins)


def _add(bins: list[list[int]], mark: int) -> None:
    part = bins[_BIN[mark]]
    part[0] += 1
    part[1] += mark >> 1
    part[2] += mark & 1


def _ece(counts: NDArray[Any], ticks: NDArray[Any], true: NDArray[Any]) -> float:
    """Return the expected calibration error: how far predictions are from frequencies."""
    return float(np.abs(ticks / TICKS - true).sum() / counts.sum())
