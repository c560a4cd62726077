"""Pictures of a report as SVG: calibration, lift, and the figures over time.

Same figures, same bytes. Without matplotlib (the extra `evaluate`) there are none.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

MOST = 6  # lines in one picture
_FIRST = ("champion", "prior", "batch_lr", "batch_gb")


def pictures(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return titles and SVG elements; none for a report that has nothing to draw."""
    try:
        import matplotlib
    except ImportError:
        return []
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "c360"
    drawn: list[tuple[str, Callable[[Any, Mapping[str, Any]], None]]] = []
    if result["kind"] == "churn":
        drawn = [("Calibration", _calibration), ("Lift by tenth", _lift), ("Over time", _windows)]
    return [(title, _svg(draw, result)) for title, draw in drawn]


def _svg(draw: Callable[[Any, Mapping[str, Any]], None], result: Mapping[str, Any]) -> str:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.add_subplot()
    draw(axes, result)
    handles, _ = axes.get_legend_handles_labels()
    if handles:
        axes.legend(frameon=False, fontsize="small")
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    text = file.getvalue()
    return text[text.index("<svg") :]


def _chosen(found: Mapping[str, Any]) -> list[str]:
    """Return whose lines are drawn: the champion, what it is measured by, then others."""
    names = [name for name in _FIRST if name in found]
    return [*names, *(name for name in found if name not in names)][:MOST]


def _calibration(axes: Any, result: Mapping[str, Any]) -> None:
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    found = result["calibration"]
    for name in _chosen(found):
        bins = found[name]
        axes.plot(
            [part["predicted"] for part in bins],
            [part["observed"] for part in bins],
            marker="o",
            markersize=3,
            linewidth=2 if name == "champion" else 1,
            label=name,
        )
    axes.set(xlabel="predicted", ylabel="came true", xlim=(0, 1), ylim=(0, 1))


def _lift(axes: Any, result: Mapping[str, Any]) -> None:
    found = {name: lift for name, lift in result["lift"].items() if lift}
    for name in _chosen(found):
        lift = found[name]
        width = 2 if name == "champion" else 1
        axes.plot(
            range(1, len(lift) + 1), lift, marker="o", markersize=3, linewidth=width, label=name
        )
    axes.axhline(1, color="0.7", linewidth=1)
    axes.set(xlabel="tenth, highest risk first", ylabel="times as many as usual")


def _windows(axes: Any, result: Mapping[str, Any]) -> None:
    windows = result["windows"]
    places = [window["first"] + window["rows"] for window in windows]
    for measure, style in (("auc", "-"), ("log_loss", "--"), ("ece", ":")):
        values = [window["figures"]["champion"].get(measure) for window in windows]
        axes.plot(
            places,
            [float("nan") if value is None else value for value in values],
            style,
            label=f"champion {measure.replace('_', ' ')}",
        )
    axes.set(xlabel="rows")
