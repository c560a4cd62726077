"""A model's card: what it predicts, from what, how well, and where it is wrong.

Made of a report alone, so that whoever has the report has the card (after Mitchell et al. 2019,
"Model cards for model reporting").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from models.reports import Change, Figures, Report

_PREDICTS = {
    "churn": "the probability that a customer without a contract stays away: no contact of the "
    "customer's own within the horizon",
    "contract": "the probability that a customer with a contract has none left within the "
    "horizon: cancelled, or not renewed",
    "offers": "by offer and channel, the probability that making it is followed by a conversion",
    "population": "nothing by itself: parameters of lifetimes and spend, fitted to a sample of "
    "customers, from which the other models start",
    "affinity": "which products are bought together more often than chance",
}
_DATA = {
    "offers": "decisions of this deployment with what came of them by the end of their window; "
    "rewards of 0 are released at the window's end, like the others",
    "population": "a sample of this deployment's customers, drawn by a hash of their id",
    "affinity": "baskets of this deployment's orders",
}
_BINARY_DATA = (
    "predictions made for this deployment's customers, each with the features as they were then; "
    "both labels are released when the horizon ends, so no label tells by its freshness what it is"
)
_SOURCES = {
    "prior_logit": "the lifetime model (MBG/NBD), or the tenure model of contracts",
    "subscribed": "subscription events",
}
_SOURCE_BY_STEM = (
    (("silence", "visits", "gap", "overdue", "unsteady", "once", "age"), "the customer's contacts"),
    (("order", "item", "refund", "since_order", "spend"), "orders"),
    (("ticket", "wait", "open_tickets", "since_ticket"), "service tickets"),
    (("nps", "csat", "ces", "review", "sentiment"), "what the customer said"),
    (("open", "click"), "messages sent"),
    (("accept", "decline"), "offers shown"),
    (("contract", "tenure", "renew", "trial", "period", "days_to"), "subscription events"),
)
_SHOWN = (
    ("auc_window", "AUC"),
    ("log_loss_window", "log loss"),
    ("brier_window", "Brier score"),
    ("ece_window", "calibration error (ECE)"),
    ("base_rate_window", "came true"),
    ("predicted_window", "predicted on average"),
    ("lift_window", "lift of the highest tenth"),
    ("reward", "mean reward"),
    ("examples", "examples judged, ever"),
)
_LIMITS = {
    "binary": (
        "Whoever was predicted to leave may have been helped to stay: what is learnt of customers "
        "that somebody acted on mixes the risk with the help. Such examples are marked and judged "
        "apart (acted, untouched); compare the two before trusting either.",
        "The model's own predictions decide who is acted on, and so what it learns next (a "
        "feedback loop). A holdout that never gets offers, and a share of offers that is drawn by "
        "chance, keep part of the examples free of it.",
        "A probability says how often such customers left so far. It names no cause.",
        "Labels come a horizon late: a change of the customers' ways shows in the figures only "
        "after that, and the drift alert cannot come sooner.",
        "Figures over 1,000 examples are uncertain by some hundredths of AUC, by more where the "
        "label is rare; ECE is never 0 by chance alone.",
    ),
    "offers": (
        "What is known of an arm comes from those to whom it was made. The floor of exploration "
        "and the holdout keep that from being only whom the model favoured; compare policies by "
        "`c360 models evaluate`, not by the rewards in this card.",
        "A conversion that follows an offer need not follow from it: only the difference to the "
        "holdout is uplift.",
    ),
    "other": (
        "Parameters describe the population on average and say little of a single customer.",
    ),
}


def card(report: Report) -> str:
    """Return the card of a model's version, in Markdown."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    model = report.model
    yield f"# Model card: {model}, version {report.version:,}"
    yield ""
    yield f"Predicts {_PREDICTS.get(model, 'what its name says')}."
    yield ""
    yield from _facts(report)
    yield from _quality(report)
    yield from _calibration(report.figures.get("served"))
    yield from _candidates(report)
    yield from _features(report)
    yield from _history(report)
    yield "## Limits"
    yield ""
    kind = "binary" if report.champion else "offers" if model == "offers" else "other"
    for limit in _LIMITS[kind]:
        yield f"- {limit}"


def _facts(report: Report) -> Iterator[str]:
    facts = {
        "Label": report.horizon or "–",
        "Serves": report.champion or "the one model there is",
        "Learnt": f"{report.learnt:,} examples, by the weights that serve",
        "As of": f"{_time(report.at_ms)} (newest label), offset {report.offset:,} of its log",
        "State": "frozen: nothing is learnt" if report.frozen else "learning",
        "Drift": "an alert is open" if report.drifting else "none is open",
        "River": report.river or "–",
        "Learnt from": _BINARY_DATA if report.champion else _DATA.get(report.model, "–"),
        "Kept versions": ", ".join(f"{one:,}" for one in report.kept) or "none",
    }
    yield from (f"- {name}: {value}" for name, value in facts.items())
    yield ""


def _quality(report: Report) -> Iterator[str]:
    judged = [name for name in ("served", "acted", "untouched") if name in report.figures]
    if not judged:
        return
    yield "## How good what was served has been"
    yield ""
    yield "Judged when the label became known, by what had been predicted then."
    yield "Over the newest 1,000 examples, but for the last row."
    yield ""
    yield from _table(report, judged)


def _candidates(report: Report) -> Iterator[str]:
    others = [name for name in report.figures if name not in ("served", "acted", "untouched")]
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
    for metric, label in _SHOWN:
        values = [report.figures[name].metrics.get(metric) for name in names]
        if any(value is not None for value in values):
            yield f"| {label} | " + " | ".join(map(_figure, values)) + " |"
    if any(name in report.evidence for name in names):
        values = [report.evidence.get(name) for name in names]
        yield "| evidence against the champion | " + " | ".join(map(_figure, values)) + " |"
    yield ""


def _crowned(name: str, report: Report) -> str:
    return f"**{name}** (serves)" if name == report.champion else name


def _calibration(figures: Figures | None) -> Iterator[str]:
    if figures is None or not figures.calibration:
        return
    yield "## Calibration"
    yield ""
    yield "For how many of those who were given a probability it came true; since the start."
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
    if name in _SOURCES:
        return _SOURCES[name]
    for stems, source in _SOURCE_BY_STEM:
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
