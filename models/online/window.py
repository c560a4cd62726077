"""One measure's window: River's ADWIN (Bifet & Gavaldà 2007), and what was before its change."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, NamedTuple

from models.online.measures import Measure
from models.online.packing import pack_bytes, unpack_bytes

RIVER = version("river")
# A tenth of a thousandth, and changes that matter: ADWIN finds ones that are of no interest.
DELTA = 1e-4
_PACE = 500  # predictions over which their mean is taken


class Shift(NamedTuple):
    """What moved: a measure's name, its mean before (a residual's: what was predicted), and now."""

    measure: str
    before: float
    now: float


class Window:
    """The newest values of one measure, as many as are alike."""

    def __init__(self, measure: Measure) -> None:
        # What River's ADWIN does all by: beside the class lie its sets of data, and behind those
        # pandas and scikit-learn: half a second of a worker's start.
        from river._river_rust.drift import AdaptiveWindowing

        self.measure = measure
        self.quiet = measure.calm  # values since the newest change
        self._before = 0.0  # the mean before the newest changes began
        self._predicted, self._predictions = 0.0, 0  # their moving mean, and how many there were
        self._adwin = AdaptiveWindowing(delta=DELTA)

    def update(self, value: float, predicted: float) -> Shift | None:
        """Take in a value; return the change that ADWIN finds with it, if it matters."""
        measure, mean = self.measure, self.mean()
        if measure.residual:
            value -= predicted
            self._predictions += 1
            self._predicted += (predicted - self._predicted) / min(self._predictions, _PACE)
        self.quiet += 1
        inside = min(max(value, measure.least), measure.most)
        # Not as River's class has it, which throws its window away after each change.
        share = (inside - measure.least) / (measure.most - measure.least)
        if not self._adwin.update(share):
            return None
        if self.quiet > measure.calm:
            self._before = mean
        self.quiet = 0
        shift = self.since(self._before)
        return shift if measure.matters(shift.before, shift.now) else None

    def since(self, before: float) -> Shift:
        """Return what moved since the mean was `before`; a residual's is what was predicted."""
        usual = self._predicted if self.measure.residual else before
        return Shift(self.measure.name, usual, self.mean())

    def mean(self) -> float:
        """Return the measure's mean over the window; 0, or the prediction, while it is empty."""
        width = self._adwin.get_width()
        if not width:
            return self._predicted
        least, most = self.measure.least, self.measure.most
        return self._predicted + self._adwin.get_total() / width * (most - least) + least

    def means(self) -> dict[str, float]:
        """Return the mean, how many values it is of, and of a residual what was predicted."""
        name = self.measure.name
        predicted = {f"{name}_predicted": self._predicted} if self.measure.residual else {}
        return {name: self.mean(), f"{name}_width": float(self._adwin.get_width())} | predicted

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        return {
            "quiet": self.quiet,
            "before": self._before,
            "windows": pack_bytes(self._adwin.__getstate__()),
            "predicted": [self._predicted, self._predictions],
        }

    def resume(self, state: dict[str, Any], river: str) -> None:
        """Go on with what `to_state` returned; under another River its values are forgotten."""
        self.quiet, self._before = state["quiet"], state["before"]
        self._predicted, self._predictions = state["predicted"]
        if river == RIVER:
            self._adwin.__setstate__(unpack_bytes(state["windows"]))
