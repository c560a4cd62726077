"""What was measured, kept and shown: medians, goals, ratios, the table.

`latest.json` holds each figure under its name with an `about` of its own, so figures
can be measured one by one. A figure that fails keeps what was measured before, and
says that it failed.
"""

import json
import operator
import re
import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
RATIOS = "ratios"
_GOAL = re.compile(r"\s*(≥|≤)\s*([\d.,]+)")
_MEET = {"≥": operator.ge, "≤": operator.le}

# Each: figure and key above the line, figure and key below it, goal ("" none).
_RATE, _CPU = "events_per_second", "cpu_us_per_event"
_OF = {
    "worker_over_core": (("worker", _RATE), ("core", _RATE), "≥ 0.7"),
    "worker_over_stock": (("worker", _RATE), ("stock", _RATE), "≥ 10"),
    "worker_over_quix": (("worker", _RATE), ("quix", _RATE), "≥ 1.25"),
    "worker_over_bytewax": (("worker", _RATE), ("bytewax", _RATE), "≥ 1.25"),
    "worker_over_core_by_cpu": (("core", _CPU), ("worker", _CPU), ""),
    "worker_over_stock_by_cpu": (("stock", _CPU), ("worker", _CPU), ""),
    "worker_over_quix_by_cpu": (("quix", _CPU), ("worker", _CPU), ""),
    "worker_over_bytewax_by_cpu": (("bytewax", _CPU), ("worker", _CPU), ""),
}


def medians(passes: list[dict]) -> dict:
    """Return the median of every number that all passes have, nested ones included."""
    found: dict = {}
    for name, value in passes[0].items():
        others = [one.get(name) for one in passes]
        if isinstance(value, dict):
            if all(isinstance(other, dict) for other in others):
                found[name] = medians(others)
        elif isinstance(value, int | float):
            if all(isinstance(other, int | float) for other in others):
                found[name] = round(statistics.median(others), 3)
        else:
            found[name] = value
    return found


def merged(before: Mapping, name: str, figure: Mapping) -> dict:
    """Return the results with a figure's new ones; a failed one only says that it failed."""
    if "failed" in figure:
        return {**before, name: {**before.get(name, {}), "failed": dict(figure["failed"])}}
    return {**before, name: dict(figure)}


def ratios(results: Mapping) -> dict:
    """Compare figures with each other: above 1 the first one is the faster."""
    values, goals = {}, {}
    for name, (over, under, goal) in _OF.items():
        above, below = (
            look_up(results.get(one, {}).get("measured", {}), key) for one, key in (over, under)
        )
        if isinstance(above, int | float) and isinstance(below, int | float) and below:
            values[name] = round(above / below, 3)
            if goal:
                goals[name] = goal
    return {"measured": values, "goals": goals}


def met(value: object, goal: str) -> bool | None:
    """Whether a value meets a goal such as "≥ 25,000/s"; None: the text names no bound."""
    found = _GOAL.match(goal)
    if found is None or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return bool(_MEET[found[1]](value, float(found[2].replace(",", ""))))


def look_up(measured: Mapping, key: str) -> object:
    """Return a measured value by its key, dots leading inward; None when it is not there."""
    value: object = measured
    for step in [key] if key in measured else key.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def read(folder: Path = RESULTS) -> dict:
    """Return the results so far."""
    try:
        return json.loads((folder / "latest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


def write(results: Mapping, folder: Path = RESULTS) -> None:
    """Write the results and their table."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, indent=1, ensure_ascii=False) + "\n"
    (folder / "latest.json").write_text(text, encoding="utf-8")
    (folder / "latest.md").write_text(_HEAD + table(results) + "\n", encoding="utf-8")


_HEAD = "# Figures\n\nWritten by `make bench`; [how each is measured](../README.md).\n\n"


def table(results: Mapping) -> str:
    """Return the results as a Markdown table, one row a number."""
    rows = ["| figure | key | measured | goal | met | date | commit |", "|" + "---|" * 7]
    for name, figure in results.items():
        about, goals = figure.get("about", {}), figure.get("goals", {})
        when, commit = about.get("date", "")[:16], about.get("commit", "")[:7]
        if "failed" in figure:
            failed = figure["failed"]
            why = failed["why"].splitlines()[0].replace("|", "/")
            rows.append(f"| {name} | | **failed**: {why} | | no | {failed['date'][:16]} | |")
        for key, value in _numbers(figure.get("measured", {})):
            goal = goals.get(key, "")
            answer = {True: "yes", False: "**no**", None: ""}[met(value, goal)]
            rows.append(
                f"| {name} | {key} | {_plain(value)} | {goal} | {answer} | {when} | {commit} |"
            )
        for key in goals:
            if look_up(figure.get("measured", {}), key) is None:
                rows.append(
                    f"| {name} | {key} | not measured | {goals[key]} | **no** | {when} | {commit} |"
                )
    return "\n".join(rows)


def _numbers(measured: Mapping, under: str = "") -> Iterator[tuple[str, object]]:
    for name, value in measured.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{under}{name}.")
        elif not isinstance(value, list):
            yield f"{under}{name}", value


def _plain(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:,.3f}".rstrip("0").rstrip(".")
