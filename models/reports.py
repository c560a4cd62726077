"""What learners tell about their models: how good each is, and what changed it.

A report is made at certain examples of the model's log, so whoever replays the log makes the
same ones. Times are ms since 1970, UTC; `at_ms` is the newest label's, so a past that is
loaded is told in its own time.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

ChangeKind = Literal[
    "promoted",
    "frozen",
    "unfrozen",
    "reset",
    "rolled_back",
    "fitted",
    "redefined",
    "refused",
    "drift_opened",
    "drift_closed",
]


# Whose figures a report has beside its candidates': what was served, of it by whether anybody
# acted meanwhile, and what was said of a past while it was read in, to nobody.
APART = ("served", "acted", "untouched", "past")


class Change(Struct, omit_defaults=True, frozen=True, kw_only=True):
    """Something happened to a model: a rule or a person changed it, or it drifted."""

    change_id: str  # follows from model, offset and kind
    model: str
    kind: ChangeKind
    offset: int  # in the model's log
    version: int  # examples learnt by then
    at_ms: int
    by: str  # "rule", or who commanded it
    reason: str
    before: str = ""  # champion, version or horizon
    after: str = ""
    figures: dict[str, float] = field(default_factory=dict)


class Figures(Struct, omit_defaults=True, frozen=True, kw_only=True):
    """How good some predictions were: totals, and by _window those of the newest examples."""

    metrics: dict[str, float]
    # By bin of the prediction: examples, mean prediction, share that came true.
    calibration: list[tuple[int, float, float]] = field(default_factory=list)
    lift: list[float] = field(default_factory=list)  # by tenth, the highest predictions first


class FeatureUse(Struct, omit_defaults=True, frozen=True, kw_only=True):
    """What the served model knows of one feature."""

    name: str
    usual: float  # the population's mean
    weight: float  # logits by standard deviation


class Report(Struct, omit_defaults=True, frozen=True, kw_only=True):
    """One model as it stands after the record at `offset` of its log."""

    report_id: str  # model and offset
    model: str
    version: int  # examples learnt, ever, and commands that changed what serves
    learnt: int  # by the weights that serve: a reset begins again at 0
    offset: int
    at_ms: int
    champion: str = ""
    horizon: str = ""  # what the label means
    frozen: bool = False
    river: str = ""  # River's version
    # By APART (what was predicted then), and by candidate (what each would have predicted just
    # before it learnt the label).
    figures: dict[str, Figures] = field(default_factory=dict)
    evidence: dict[str, float] = field(default_factory=dict)  # log wealth against the champion
    threshold: float = 0.0  # of the evidence, at which a challenger takes over
    drift: dict[str, float] = field(default_factory=dict)  # the newest means that are watched
    drifting: bool = False
    features: list[FeatureUse] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)  # versions that one can go back to
    changes: list[Change] = field(default_factory=list)  # since the report before
    history: list[Change] = field(default_factory=list)  # the newest ones, these included

    def judged_as(self) -> str:
        """Return whose figures stand for the model: what was served, once a label of it has come.

        Until then, as after a past was read in, the champion's, if there is one.
        """
        return judged_as({name: one.metrics for name, one in self.figures.items()}, self.champion)


def judged_as(metrics: dict[str, dict[str, float]], champion: str) -> str:
    """Return what `Report.judged_as` does, by whose metrics there are, and who serves."""
    served = metrics.get("served", {}).get("examples", 0.0)
    return champion if champion and not served else "served"
