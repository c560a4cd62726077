"""Drift: whether a model that serves became worse, or what it predicts more or less frequent.

Windows of River's ADWIN over measures of what was served. They only tell: nothing here resets
or changes a model. What is told is an episode, which opens once and closes once: `recovered`
when the measure is what it was, `settled` when it has not changed further for long.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from models.online.measures import REWARD, Measure
from models.online.window import RIVER, Shift, Window
from models.records import Alert, Example, Reason

if TYPE_CHECKING:  # a learner tells by this: it imports it
    from models.online.learning import Learner

RULE = "model_drift"
_PARTS = ("quiet", "before", "windows", "predicted")


class Edge(NamedTuple):
    """A drift episode opened or closed; `outcome` of the latter: "recovered" or "settled"."""

    number: int
    opened: bool
    shift: Shift
    outcome: str | None = None


class Watch:
    """A window for each of a model's measures, and the episode that is open, if any."""

    def __init__(self, *measures: Measure) -> None:
        self.number = 0  # of the newest episode; 0: there was none
        self.open: Shift | None = None
        self._windows = {measure.name: Window(measure) for measure in measures}

    def update(self, values: Sequence[float], predicted: float = 0.0) -> Edge | None:
        """Take in one example's values, in the measures' order; return the episode's edge, if any.

        `predicted`: what a residual measure's value is held to.
        """
        windows = self._windows.values()
        moved = [one.update(value, predicted) for one, value in zip(windows, values, strict=True)]
        shifts = [shift for shift in moved if shift is not None]
        if self.open is None and shifts:
            self.number, self.open = self.number + 1, shifts[0]
            return Edge(self.number, True, shifts[0])
        return self._closed()

    def means(self) -> dict[str, float]:
        """Return the mean of each measure over its window, and the windows' widths."""
        return {name: mean for one in self._windows.values() for name, mean in one.means().items()}

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        states = {name: window.to_state() for name, window in self._windows.items()}
        return {
            "river": RIVER,
            "number": self.number,
            "open": None if self.open is None else list(self.open),
            **{part: {name: state[part] for name, state in states.items()} for part in _PARTS},
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Go on with what `to_state` returned; the windows begin anew under another River."""
        self.number = state["number"]
        self.open = None if state["open"] is None else Shift(*state["open"])
        state = {"predicted": dict.fromkeys(self._windows, (0.0, 0))} | state  # not always kept
        for name, window in self._windows.items():
            window.resume({part: state[part][name] for part in _PARTS}, state["river"])

    def _closed(self) -> Edge | None:
        began = self.open
        if began is None:
            return None
        window = self._windows[began.measure]
        now = window.since(began.before)
        if window.quiet >= window.measure.quiet:
            outcome = "settled"
        elif not window.measure.matters(now.before, now.now):
            outcome = "recovered"
        else:
            return None
        self.open = None
        return Edge(self.number, False, now, outcome)


def tell(learner: Learner, edge: Edge | None, example: Example, received_ms: int) -> None:
    """Write an episode's edge into the model's history, and raise the alert; `example` led to it.

    The alert is about a model, not a customer: "model:churn" stands for one.
    """
    if edge is None:
        return
    shift, status = edge.shift, "opened" if edge.opened else "closed"
    usual = "predicted was" if shift.measure == REWARD.name else "and was"
    reason = f"{shift.measure} is {shift.now:.3g}, {usual} {shift.before:.3g}"
    learner.note(
        "drift_opened" if edge.opened else "drift_closed",
        "rule",
        reason if edge.outcome is None else f"{edge.outcome}: {reason}",
        figures={"before": shift.before, "now": shift.now},
    )
    subject = f"model:{learner.model}"
    episode = f"{RULE}:{subject}:{edge.number}"
    told = Reason(shift.measure, shift.now - shift.before, shift.now, shift.before)
    learner.raise_alert(
        Alert(
            alert_id=f"{episode}:{status}",
            episode_id=episode,
            customer_id=subject,
            rule=RULE,
            status="opened" if edge.opened else "closed",
            severity="warning" if edge.opened else "info",
            at_ms=example.label_ms,
            received_ms=received_ms,
            cause=example.example_id,
            outcome=edge.outcome,
            reasons=[told],
        )
    )
