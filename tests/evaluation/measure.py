"""What every data set's module needs: prequential runs, batch baselines, goals."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from infra.evaluation.batch import Batch
from infra.evaluation.churn import window
from infra.evaluation.pupil import Contestants
from models.online.encoding import Encoder
from models.online.prequential import CHAMPION, Prequential, Row
from models.online.tally import Tally

RANKS, LOSES, CALIBRATED = 0.002, 0.002, 0.02  # how far from the best batch model is allowed


@dataclass(frozen=True)
class Goal:
    """One line of the report: what was measured against what was to be reached."""

    what: str
    measured: float | None
    goal: str  # "≥ 0.82"
    met: bool
    why: str = ""  # when it is not met, or needs a word

    def told(self) -> dict:
        return {
            "what": self.what, "measured": self.measured, "goal": self.goal,
            "met": self.met, "why": self.why,
        }  # fmt: skip


def at_least(what: str, measured: float | None, bound: float, why: str = "") -> Goal:
    """Return whether a figure is no less than a bound."""
    return Goal(what, measured, f"≥ {bound:.4f}", measured is not None and measured >= bound, why)


def at_most(what: str, measured: float | None, bound: float, why: str = "") -> Goal:
    """Return whether a figure is no more than a bound."""
    return Goal(what, measured, f"≤ {bound:.4f}", measured is not None and measured <= bound, why)


def prequential(rows: Sequence[Row], *, encoded: bool, share: float = 0.5) -> Prequential:
    """Run all candidates over rows in time order; `encoded`: they are features already."""
    pupil = Contestants(None if encoded else Encoder())
    run = Prequential(pupil, int(len(rows) * share), window(len(rows)))
    run.run(rows)
    return run


def batches(rows: Sequence[Row], tested_from: int, every: float) -> dict[str, Tally]:
    """Train batch models on what was known, anew each `every` of time within the test."""
    again, due = [], rows[tested_from].at + every
    for place in range(tested_from, len(rows)):
        if rows[place].at >= due:
            again.append(place)
            due = rows[place].at + every
    return Batch(rows).compare(tested_from, again)


def against(name: str, run: dict, others: Iterable[str], why: str = "") -> list[dict]:
    """Return the spec's three goals of a binary model beside batch models."""
    tested = run["tested"]
    ours, batch = tested[CHAMPION], [tested[other] for other in others]
    best = max(one["auc"] for one in batch)
    least = min(one["log_loss"] for one in batch)
    goals = (
        at_least(f"{name}: AUC", ours["auc"], best - RANKS, why),
        at_most(f"{name}: log loss", ours["log_loss"], least + LOSES, why),
        at_most(f"{name}: calibration error", ours["ece"], CALIBRATED, _by_chance(ours)),
    )
    return [goal.told() for goal in goals]


def _by_chance(figures: dict) -> str:
    """Return what a perfect model's calibration error would be on so many rows."""
    return f"a perfect model would show {figures['ece_by_chance']:.4f} on so many rows"
