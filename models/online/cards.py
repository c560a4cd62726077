"""A model's card: what it predicts, from what, how well, and where it is wrong.

Made of a report alone, so that whoever has the report has the card (after Mitchell et al. 2019,
"Model cards for model reporting").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from models.online.card_words import (
    BINARY_DATA,
    DATA,
    JUDGED,
    LIMITS,
    PREDICTS,
    SHOWN,
    SOURCE_BY_STEM,
    SOURCES,
)
from models.reports import APART, Change, Report


def card(report: Report) -> str:
    """Return the card of a model's version, in Markdown."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    model = report.model
    yield f"# Model card: {model}, version {report.version:,}"
    yield ""
    yield f"Predicts {PREDICTS.get(model, 'what its name says')}."
    yield ""
    yield from _facts(report)
    kind = "binary" if report.champion else report.model if report.model in LIMITS else "other"
    yield from _quality(report, JUDGED[kind])
    yield from _calibration(report)
    yield from _candidates(report)
    yield from _features(report)
    yield from _history(report)
    yield "## Limits"
    yield ""
    for limit in LIMITS[kind]:
        yield f"- {limit}"


def _facts(report: Report) -> Iterator[str]:
    facts = {
        "Label": report.horizon or "–",
        "Serves": report.champion or "the one model there is",
        "Learnt": f"{report.learnt:,} examples, by the weights that serve",
        "As of": f"{_time(report.at_ms)} (newest label), offset {report.offset:,} of its log",
        "State": "frozen: nothing is learnt" if report.frozen else "learning",
        "Drift": "an alert is open" if report.drifting else "none is open",
        "Watched": _watched(report),
        "River": report.river or "–",
        "Learnt from": BINARY_DATA if report.champion else DATA.get(report.model, "–"),
        "Kept versions": ", ".join(f"{one:,}" for one in report.kept) or "none",
    }
    yield from (f"- {name}: {value}" for name, value in facts.items())
    yield ""


def _watched(report: Report) -> str:
    means = {name: mean for name, mean in report.drift.items() if not name.endswith("_width")}
    shown = (f"{name.replace('_', ' ')} {mean:.3f}" for name, mean in means.items())
    return ", ".join(shown) or "–"


def _quality(report: Report, how: Sequence[str]) -> Iterator[str]:
    judged = [name for name in APART if name in report.figures]
    if not judged:
        return
    yield "## How good what was served has been"
    yield ""
    yield from how
    yield ""
    yield from _table(report, judged)


def _candidates(report: Report) -> Iterator[str]:
    others = [name for name in report.figures if name not in APART]
    if not others:
        return
    yield "## Candidates" if report.champion else "## By arm"
    yield ""
    if report.champion:
        yield "What each would have said just before it learnt the label; none but the champion has"
        yield f"an effect. A challenger takes over at evidence {report.threshold:.1f}."
        yield ""
    yield from _table(report, others)


def _table(report: Report, names: Sequence[str]) -> Iterator[str]:
    yield "| | " + " | ".join(_crowned(name, report) for name in names) + " |"
    yield "|---|" + "---|" * len(names)
    for metric, label in SHOWN:
        values = [report.figures[name].metrics.get(metric) for name in names]
        if any(value is not None for value in values):
            yield f"| {label} | " + " | ".join(map(_figure, values)) + " |"
    if any(name in report.evidence for name in names):
        values = [report.evidence.get(name) for name in names]
        yield "| evidence against the champion | " + " | ".join(map(_figure, values)) + " |"
    yield ""


def _crowned(name: str, report: Report) -> str:
    return f"**{name}** (serves)" if name == report.champion else name


def _calibration(report: Report) -> Iterator[str]:
    whose = report.judged_as()
    figures = report.figures.get(whose)
    if figures is None or not figures.calibration:
        return
    yield "## Calibration"
    yield ""
    yield f"For how many of those who were given a probability ({whose}) it came true; since the"
    yield "start."
    yield ""
    yield "| predicted | came true | examples |"
    yield "|---|---|---|"
    for count, predicted, happened in figures.calibration:
        yield f"| {predicted:.1%} | {happened:.1%} | {count:,} |"
    yield ""


def _features(report: Report) -> Iterator[str]:
    if not report.features:
        return
    yield "## Features"
    yield ""
    yield "Weights are logits by standard deviation: above 0, more of it raises the probability."
    yield "Features that move together share a weight between them."
    yield ""
    yield "| feature | from | usual | weight |"
    yield "|---|---|---|---|"
    for one in sorted(report.features, key=lambda feature: (-abs(feature.weight), feature.name)):
        yield f"| {one.name} | {_source(one.name)} | {one.usual:.3g} | {one.weight:+.3f} |"
    yield ""


def _source(name: str) -> str:
    if name in SOURCES:
        return SOURCES[name]
    for stems, source in SOURCE_BY_STEM:
        if name.startswith(stems):
            return source
    return "the customer's profile"


def _history(report: Report) -> Iterator[str]:
    if not report.history:
        return
    yield "## What changed it"
    yield ""
    for change in reversed(report.history):
        yield f"- {_time(change.at_ms)}, version {change.version:,}: {_change(change)}"
    yield ""


def _change(change: Change) -> str:
    named = f" {change.before} → {change.after}" if change.after else ""
    return f"{change.kind.replace('_', ' ')}{named}, by {change.by}: {change.reason}"


def _figure(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3f}"


def _time(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, tz=UTC):%Y-%m-%d %H:%M}"
