"""Drift: whether the model that serves became worse, or what it predicts more or less frequent.

Two windows of River's ADWIN (Bifet & Gavaldà 2007), over the log loss of what was served and
over the labels. They only tell: nothing here resets or changes a model. What is told is an
episode, which opens once and closes once.
"""

from __future__ import annotations

import math
from importlib.metadata import version
from typing import Any, NamedTuple, Self

from models.online.packing import pack_bytes, unpack_bytes

RULE = "model_drift"
RIVER = version("river")
# A tenth of a thousandth, and changes that matter: ADWIN finds ones that are of no interest.
DELTA = 1e-4
WORSE = 0.1  # the log loss rose by this part of itself
SHIFTED = 0.3  # the log odds of the base rate moved by this
# ADWIN forgets what was before in portions, each a change of its own: they are one if no more
# than this many examples lie between two.
CALM = 500
QUIET = 2_000  # examples without a further change, after which what is now is the usual
_LOSS_MOST = 10.0  # ADWIN's bound holds for values from 0 to 1

LOSS, RATE = "log_loss", "base_rate"


class Shift(NamedTuple):
    """What moved: `measure` is LOSS or RATE, its mean before and now."""

    measure: str
    before: float
    now: float


class Edge(NamedTuple):
    """A drift episode opened or closed; `outcome` of the latter: "recovered" or "settled"."""

    number: int
    opened: bool
    shift: Shift
    outcome: str | None = None


class Watch:
    """Both windows of one model, and the episode that is open, if any."""

    def __init__(self) -> None:
        # Imported by who learns alone: SciPy and pandas behind it take a second to load.
        from river.drift import ADWIN

        self.number = 0  # of the newest episode; 0: there was none
        self.open: Shift | None = None
        self._quiet = {LOSS: CALM, RATE: CALM}  # examples since the newest change
        self._before = {LOSS: 0.0, RATE: 0.0}  # the means before the newest changes began
        self._windows = {LOSS: ADWIN(delta=DELTA), RATE: ADWIN(delta=DELTA)}

    def update(self, loss: float, label: float) -> Edge | None:
        """Take in one example's served log loss and label; return the episode's edge, if any."""
        values = {LOSS: min(loss, _LOSS_MOST) / _LOSS_MOST, RATE: float(label >= 0.5)}
        shifts = [shift for name in values if (shift := self._moved(name, values[name]))]
        if self.open is None and shifts:
            self.number, self.open = self.number + 1, shifts[0]
            return Edge(self.number, True, shifts[0])
        return self._closed()

    def means(self) -> dict[str, float]:
        """Return the mean of each measure over its window, and the windows' widths."""
        widths = {f"{name}_width": float(one.width) for name, one in self._windows.items()}
        return {name: self._mean(name) for name in self._windows} | widths

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        return {
            "river": RIVER,
            "number": self.number,
            "open": None if self.open is None else list(self.open),
            "quiet": dict(self._quiet),
            "before": dict(self._before),
            "windows": {
                name: pack_bytes(window._helper.__getstate__())
                for name, window in self._windows.items()
            },
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the watch that `to_state` wrote; its windows begin anew under another River."""
        watch = cls()
        watch.number = state["number"]
        watch._quiet, watch._before = dict(state["quiet"]), dict(state["before"])
        watch.open = None if state["open"] is None else Shift(*state["open"])
        if state["river"] == RIVER:
            for name, window in watch._windows.items():
                window._helper.__setstate__(unpack_bytes(state["windows"][name]))
        return watch

    def _moved(self, measure: str, value: float) -> Shift | None:
        """Take in a value; return the change that ADWIN finds with it, if it matters."""
        mean = self._mean(measure)
        self._quiet[measure] += 1
        # Not the detector's own `update`: it throws its window away after each change.
        if not self._windows[measure]._helper.update(value):
            return None
        if self._quiet[measure] > CALM:
            self._before[measure] = mean
        self._quiet[measure] = 0
        shift = Shift(measure, self._before[measure], self._mean(measure))
        return shift if _matters(shift) else None

    def _mean(self, measure: str) -> float:
        window = self._windows[measure]
        return float(window.estimation) * (_LOSS_MOST if measure == LOSS else 1.0)

    def _closed(self) -> Edge | None:
        began = self.open
        if began is None:
            return None
        now = Shift(began.measure, began.before, self._mean(began.measure))
        if self._quiet[began.measure] >= QUIET:
            outcome = "settled"
        elif not _matters(now):
            outcome = "recovered"
        else:
            return None
        self.open = None
        return Edge(self.number, False, now, outcome)


def _matters(shift: Shift) -> bool:
    if shift.measure == LOSS:
        return shift.now > shift.before * (1.0 + WORSE)
    return abs(_logit(shift.now) - _logit(shift.before)) >= SHIFTED


def _logit(rate: float) -> float:
    inside = min(0.9999, max(0.0001, rate))
    return math.log(inside / (1.0 - inside))
