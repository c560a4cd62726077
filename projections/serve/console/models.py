"""What the page about models shows: who serves, how good each candidate is, how it went."""

from __future__ import annotations

from typing import Any, NamedTuple

from models.reports import APART, Report
from projections.live_models import Models, Point
from projections.serve.console import charts

MEASURES = ("auc_window", "log_loss_window", "brier_window", "ece_window", "lift_window")
# Over the versions: measure, and the range that is shown at least.
LINES = (("auc_window", (0.5, 0.9)), ("log_loss_window", (0.0, 0.7)), ("ece_window", (0.0, 0.1)))
MOST_ARMS = 30


class Row(NamedTuple):
    """Whose predictions, and its figures by measure; None: not defined."""

    name: str
    serves: bool
    figures: dict[str, float | None]
    examples: int
    evidence: float | None  # as a share of what a challenger needs


class Line(NamedTuple):
    """A measure over the versions."""

    measure: str
    newest: float
    path: str
    low: float
    high: float
    first_version: int
    last_version: int


def models_page(models: Models, asked: str | None) -> dict[str, Any]:
    """Return what the template shows of the model asked for, or else of the first."""
    names = models.names()
    name = asked if asked in names else ("churn" if "churn" in names else next(iter(names), None))
    report = models.newest(name) if name else None
    if report is None:
        return {"names": names, "report": None}
    judged = report.judged_as()
    figures = report.figures.get(judged)
    return {
        "names": names,
        "report": report,
        "judged": judged,
        "rows": _rows(report),
        "measures": [one for one in MEASURES if any(one in f.metrics for f in _judged(report))],
        "whole": [] if report.champion or not figures else sorted(figures.metrics.items()),
        "watched": [(m, v) for m, v in report.drift.items() if not m.endswith("_width")],
        "arms": _arms(report),
        "lines": _lines(models.points(report.model)),
        "dots": charts.calibration(figures.calibration) if figures else [],
        "bars": charts.lift(figures.lift) if figures else [],
        "level": charts.level(figures.lift) if figures else 0,
        "base_rate": figures.metrics.get("base_rate_window") if figures else None,
        "features": sorted(report.features, key=lambda one: (-abs(one.weight), one.name))[:12],
        "heaviest": max((abs(one.weight) for one in report.features), default=0.0) or 1.0,
        "history": list(reversed(report.history)),
    }


def _judged(report: Report) -> list[Any]:
    return list(report.figures.values())


def _rows(report: Report) -> list[Row]:
    if not report.champion:
        return []
    names = [name for name in APART if name in report.figures]
    names += [name for name in report.figures if name not in APART]
    rows = []
    for name in names:
        metrics = report.figures[name].metrics
        evidence = report.evidence.get(name)
        share = None
        if evidence is not None and report.threshold:
            share = min(1.0, max(0.0, evidence / report.threshold))
        figures = {measure: metrics.get(measure) for measure in MEASURES}
        examples = int(metrics.get("examples", 0))
        rows.append(Row(name, name == report.champion, figures, examples, share))
    return rows


def _arms(report: Report) -> list[tuple[str, dict[str, float]]]:
    """Return, of a model without candidates, each arm's figures, the most made first."""
    if report.champion:
        return []
    arms = [(name, one.metrics) for name, one in report.figures.items() if name != "served"]
    return sorted(arms, key=lambda arm: (-arm[1].get("examples", 0.0), arm[0]))[:MOST_ARMS]


def _lines(points: list[Point]) -> list[Line]:
    found = []
    for measure, around in LINES:
        values = [
            (point.version, point.judged()[measure])
            for point in points
            if measure in point.judged()
        ]
        if len(values) > 1:
            path, low, high = charts.line(values, around)
            ends = (values[0][0], values[-1][0])
            found.append(Line(measure, values[-1][1], path, low, high, *ends))
    return found
