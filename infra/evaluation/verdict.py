"""What the figures say, in plain words, and no more than they say."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from models.offpolicy.evaluation import MIN_EFFECTIVE
from models.online.prequential import CHAMPION

FEW = 100  # positives or negatives below which figures are told to be uncertain
RANKS_WORSE, LOSES_MORE = 0.002, 0.002  # against the best batch model: what counts as no worse
CALIBRATED = 0.02
DOUBTED = 1.5  # times what chance gives, up to which a calibration error is held for it


def verdict(report: Mapping[str, Any]) -> list[str]:
    """Return sentences about a churn report's tested part."""
    figures = report["tested"].get(CHAMPION)
    if report["unlabelled"] == report["rows"] and report["columns"]["delay"]:
        return ["No label counts: with this --delay all are due after the last row of the file."]
    if not figures or not figures["rows"]:
        return ["Nothing was tested: no labelled row lies in the second part (--split)."]
    if not report["learnt"]:
        return [
            "Nothing was learnt: no label was known before the last row, so all that is told is "
            "what one says who knows nothing yet."
        ]
    said = [_ranking(figures), _calibration(figures), _doubt(figures)]
    prior = report["tested"].get("prior")
    if prior is not None and report["champion"] != "prior":
        less = prior["log_loss"] - figures["log_loss"]
        said.append(
            f"Against knowing the base rate (or the lifetime prior) alone it loses {abs(less):.4f} "
            f"{'less' if less >= 0 else 'MORE'} a row."
        )
    said.append(_against(figures, report["tested"], report.get("paired", {})))
    reigns = report["champions"]
    if len(reigns) > 1:
        changes = ", ".join(f"{one['candidate']} at row {one['row']:,}" for one in reigns[1:])
        said.append(f"Began with {reigns[0]['candidate']}; took over: {changes}.")
    if report["trouble"]["rows_left_out"]:
        said.append(f"{report['trouble']['rows_left_out']:,} rows could not be used.")
    return [sentence for sentence in said if sentence]


def _ranking(figures: Mapping[str, float]) -> str:
    auc = figures["auc"]
    if auc is None:
        return (
            "The tested labels are of one class only: ranking cannot be judged. Are the rows "
            "sorted by the label? Without times, --shuffle mixes them."
        )
    how = "excellently" if auc >= 0.9 else "well" if auc >= 0.75 else "weakly"
    how = "no better than chance" if auc < 0.55 else how
    lift = figures["lift_top_tenth"]
    return (
        f"It ranks {how} (AUC {auc:.4f}): the tenth at highest risk holds {lift:.1f} times "
        f"as many as usual."
    )


def _calibration(figures: Mapping[str, float]) -> str:
    ece, chance = figures["ece"], figures["ece_by_chance"]
    if ece > CALIBRATED and ece <= DOUBTED * chance:
        return (
            f"Whether a probability means what it says cannot be told from so few rows "
            f"(calibration error {ece:.4f}; {chance:.4f} would be chance)."
        )
    meant = "means what it says" if ece <= CALIBRATED else "is off"
    return f"A probability {meant} (calibration error {ece:.4f})."


def _doubt(figures: Mapping[str, float]) -> str:
    rows, rate = figures["rows"], figures["base_rate"]
    fewest = min(rows * rate, rows * (1 - rate))
    if fewest >= FEW:
        return ""
    error = 0.5 / math.sqrt(max(1.0, fewest))
    return (
        f"Only {fewest:.0f} tested rows are of the rarer class: the AUC is uncertain by about "
        f"±{error:.2f}."
    )


def _against(
    figures: Mapping[str, float],
    tested: Mapping[str, Mapping[str, float]],
    paired: Mapping[str, Mapping[str, Any]],
) -> str:
    """Compare with the best batch model by each figure; `paired`: the differences' intervals."""
    ranked = [name for name in paired if tested[name]["auc"] is not None]
    if not ranked or figures["auc"] is None:
        return ""
    best = max(ranked, key=lambda name: tested[name]["auc"])
    least = min(paired, key=lambda name: tested[name]["log_loss"])
    ranks = _worse(paired[best]["auc"], RANKS_WORSE, -1.0)
    loses = _worse(paired[least]["log_loss"], LOSES_MORE, 1.0)
    return (
        f"Against the best batch model it ranks {ranks} "
        f"(AUC {figures['auc']:.4f} : {tested[best]['auc']:.4f}) and its log loss is {loses} "
        f"({figures['log_loss']:.4f} : {tested[least]['log_loss']:.4f})."
    )


def _worse(difference: Mapping[str, float] | None, allowed: float, sign: float) -> str:
    """Say whether a difference is worse than what is allowed; `sign`: of what is worse."""
    if difference is None:
        return "as cannot be told from one customer"
    if sign * difference["value"] <= allowed:
        return "no worse"
    low, high = difference["low"], difference["high"]
    told = f"(95 %: {low:+.4f} to {high:+.4f})"
    if min(sign * low, sign * high) > allowed:
        return f"worse {told}"
    return f"not surely worse {told}"


def verdict_of_offers(report: Mapping[str, Any]) -> list[str]:
    """Return sentences about an offers report's tested part."""
    online = report["tested"].get("online")
    if not online or not online["rows"]:
        return ["Nothing was tested: no row lies in the second part (--split)."]
    said = [
        f"The online policy earns {online['value']:.4f} a decision "
        f"({online['low']:.4f} to {online['high']:.4f}, 95 %)."
    ]
    names = {
        "uniform": "drawing uniformly",
        "logged": "what was logged",
        report["best_fixed"]: f"always {report['best_fixed'].partition(':')[2]!r}, "
        "the best arm of the first part",
    }
    for over, name in names.items():
        gain = report["gain"].get(over)
        if gain is None:
            continue
        sure = "more" if gain["low"] > 0 else "LESS" if gain["high"] < 0 else None
        interval = f"{gain['value']:+.4f} ({gain['low']:+.4f} to {gain['high']:+.4f})"
        said.append(
            f"It earns {sure} than {name}: {interval}."
            if sure
            else f"Whether it earns more than {name} cannot be told: {interval}."
        )
    if online["effective_rows"] < MIN_EFFECTIVE and not report["full_information"]:
        said.append(
            f"The log tells of it no more than {online['effective_rows']:.0f} decisions of its own "
            f"would; below {MIN_EFFECTIVE:,.0f} an estimate is an accident."
        )
    return said
