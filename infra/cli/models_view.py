"""How `c360 models` shows it: an overview, and one model whole."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from infra.cli.api import Json
from models.reports import APART

_COLUMNS = (
    ("AUC", "auc_window", "{:.3f}"),
    ("log loss", "log_loss_window", "{:.4f}"),
    ("Brier", "brier_window", "{:.4f}"),
    ("ECE", "ece_window", "{:.3f}"),
    ("lift", "lift_window", "{:.2f}"),
    ("came true", "base_rate_window", "{:.1%}"),
    ("reward", "reward", "{:.3f}"),
    ("hit rate", "hit_rate", "{:.3f}"),
    ("best sellers'", "hit_rate_popular", "{:.3f}"),
    ("examples", "examples", "{:,.0f}"),
)


def overview(models: list[Json]) -> Table:
    """Lay out all models, a line each."""
    table = _table("model", "serves", "version", "AUC", "log loss", "ECE", "state", "newest label")
    for one in models:
        figures = one["figures"].get(one["judged_as"], {"metrics": {}})["metrics"]
        shown = (_shown(figures, column) for column in (_COLUMNS[0], _COLUMNS[1], _COLUMNS[3]))
        table.add_row(
            one["model"],
            one["champion"] or "–",
            f"{one['version']:,}",
            *shown,
            _state(one),
            one["at"][:16],
        )
    return table


def whole(model: Json) -> Group:
    """Lay out one model."""
    head = Text.assemble((model["model"], "bold"), f"  version {model['version']:,}  ")
    head.append(model["horizon"] or "", "dim")
    parts: list[RenderableType] = [head, _state(model), _figures(model)]
    watched = {name: mean for name, mean in model["drift"].items() if not name.endswith("_width")}
    if watched:
        parts.append(Text("watched: " + ", ".join(f"{k} {v:.3f}" for k, v in watched.items())))
    judged = model["figures"].get(model["judged_as"])
    if judged and judged["calibration"]:
        parts += [Text(f"\ncalibration ({model['judged_as']})", "bold"), _calibration(judged)]
    if model["history"]:
        parts += [Text("\nwhat changed it", "bold"), _history(model["history"])]
    kept = ", ".join(f"{version:,}" for version in model["kept"]) or "none yet"
    parts.append(Text(f"\nkept versions: {kept}"))
    return Group(*parts)


def happened(change: Json) -> str:
    """Say a change in a line."""
    named = f": {change['before']} → {change['after']}" if change["after"] else ""
    return f"{change['kind'].replace('_', ' ')}{named}"


def _state(model: Json) -> Text:
    text = Text("frozen", "blue") if model["frozen"] else Text("learning", "green")
    if model["drifting"]:
        text.append("  drifting", "yellow")
    return text


def _figures(model: Json) -> Table:
    names = [name for name in APART if name in model["figures"]]
    names += [name for name in model["figures"] if name not in APART]
    metrics = [model["figures"][name]["metrics"] for name in names]
    columns = [one for one in _COLUMNS if any(one[1] in found for found in metrics)]
    table = _table("whose", *(label for label, _, _ in columns), "evidence")
    for name, found in zip(names, metrics, strict=True):
        who = Text(name, "bold" if name == model["champion"] else "")
        if name == model["champion"]:
            who.append("  serves", "dim")
        evidence = model["evidence"].get(name)
        said = "" if evidence is None else f"{evidence:.1f} of {model['threshold']:.1f}"
        table.add_row(who, *(_shown(found, column) for column in columns), said)
    return table


def _calibration(served: Json) -> Table:
    table = _table("predicted", "came true", "examples")
    for count, predicted, happened_ in served["calibration"]:
        table.add_row(f"{predicted:.1%}", f"{happened_:.1%}", f"{count:,}")
    return table


def _history(history: list[Json]) -> Table:
    table = _table("when", "version", "what", "by", "why")
    for one in history:
        table.add_row(
            one["at"][:16], f"{one['version']:,}", happened(one), one["by"], one["reason"]
        )
    return table


def _shown(metrics: Json, column: tuple[str, str, str]) -> str:
    value = metrics.get(column[1])
    return "–" if value is None else column[2].format(value)


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for at, name in enumerate(columns):
        table.add_column(name, justify="right" if at and name not in _LEFT else "left")
    return table


_LEFT = ("serves", "state", "what", "by", "why", "newest label")
