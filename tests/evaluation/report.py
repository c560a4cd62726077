"""What was measured, kept and shown: every goal as a row, the candidates' figures, pictures.

`latest.json` holds each set under its name with an `about` of its own, so that sets can be
evaluated one by one.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from infra.evaluation.page import FIGURES, LIMITS, ordered, shown
from infra.evaluation.pictures import pictures
from tests.bench.report import read as read  # kept as the benchmark keeps its own

RESULTS = Path(__file__).parent / "results"
_HEAD = """\
# How good the learners are

Written by `make evaluate`; [the protocol of each set, and the keys](../README.md).

"""
_HERE = (
    "Two of the churn sets are from the nineties, and one has no dates: they show how the learners "
    "learn, not what a shop of today will see.",
    "The choice sets pay the offer that was chosen by itself; that an offer changes minds is not "
    "in them. Only the simulator knows what a different offer would have done.",
    "The default parameters of the lifetime prior were once fitted on CDNOW's first 39 weeks; here "
    "they serve for the first 90 days only, until the first fit.",
    "Candidates were chosen while CDNOW, mlc_churn, drifting streams and, of the tables under "
    "`unseen`, attrition, mortgage and caravan were looked at. Trees and stacking were chosen on "
    "made-up functions (boxes, Friedman's first, scikit-learn's clusters), and all of the tables "
    "were looked at to see that they harm none: for these two none was unseen. Nor for the "
    "calibration, whose constants were chosen on 64 tables and made-up streams, these among them.",
)


def write(results: Mapping, folder: Path = RESULTS) -> None:
    """Write the results, their pictures and their page."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(rounded(results), indent=1, ensure_ascii=False) + "\n"
    (folder / "latest.json").write_text(text, encoding="utf-8")
    (folder / "latest.md").write_text(page(results, folder), encoding="utf-8")


def rounded(value: object) -> object:
    """Return JSON types with floats to six digits: more of them say nothing."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, Mapping):
        return {str(name): rounded(one) for name, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, list | tuple) else value


def page(results: Mapping, folder: Path) -> str:
    """Return the page in Markdown; pictures are written beside it."""
    parts = [_HEAD, "## Goals\n\n", goals_table(results), "\n\n"]
    for name, result in results.items():
        about = result.get("about", {})
        parts.append(f"## {name}\n\n")
        if about:
            parts.append(
                f"{about['date'][:16]}, commit {about['commit'][:7]}, {about['seconds']} s\n\n"
            )
        for title, run in runs(name, result.get("measured", {})):
            kind = "churn" if "unlabelled" in run else "offers"
            parts.append(f"### {title}, tested part: {run['rows'] - run['tested_from']:,} rows\n\n")
            parts.append(figures_table(run["tested"], FIGURES[kind]) + "\n\n")
            if run.get("calibration"):
                for label, svg in pictures({**run, "kind": kind}):
                    file = f"{title}-{label.split()[0].lower()}.svg"
                    (folder / file).write_text(svg, encoding="utf-8")
                    parts.append(f"![{label}]({file})\n")
                parts.append("\n")
        parts.append(_numbers(result.get("measured", {})))
    limits = "\n".join(f"- {line}" for line in (*LIMITS["churn"], *LIMITS["offers"], *_HERE))
    return "".join([*parts, "## Limits\n\n", limits, "\n"])


def runs(name: str, measured: Mapping) -> Iterator[tuple[str, Mapping]]:
    """Yield the prequential runs of a set, with their titles."""
    if "tested" in measured:
        yield name, measured
        return
    for part, value in measured.items():
        if isinstance(value, Mapping) and "tested" in value:
            yield f"{name}-{part}".replace("_", "-"), value


def figures_table(found: Mapping, figures: tuple[str, ...]) -> str:
    """Return the candidates' figures."""
    rows = ["| |" + "".join(f" {name.replace('_', ' ')} |" for name in figures)]
    rows.append("|---|" + "---|" * len(figures))
    for name, one in ordered(found):
        rows.append(f"| {name} |" + "".join(f" {shown(one.get(key))} |" for key in figures))
    return "\n".join(rows)


def goals_table(results: Mapping) -> str:
    """Return every goal: measured, goal, met or not, and why."""
    rows = ["| goal | measured | asked | met | why |", "|---|---|---|---|---|"]
    for name, result in results.items():
        if "failed" in result:
            why = result["failed"]["why"].splitlines()[0].replace("|", "/")
            rows.append(f"| {name} | | | **failed** | {why} |")
        for goal in result.get("goals", []):
            met = "yes" if goal["met"] else "**no**"
            measured = shown(goal["measured"])
            rows.append(f"| {goal['what']} | {measured} | {goal['goal']} | {met} | {goal['why']} |")
    return "\n".join(rows)


def _numbers(measured: Mapping) -> str:
    """Return what a set measured besides its runs, as a list."""
    if "tested" in measured:
        return ""
    lines = []
    for name, value in measured.items():
        if isinstance(value, Mapping) and "tested" not in value:
            flat = ", ".join(
                f"{key.replace('_', ' ')} {shown(one)}"
                for key, one in value.items()
                if isinstance(one, int | float | str)
            )
            lines.append(f"- {name.replace('_', ' ')}: {flat}")
        elif isinstance(value, int | float):
            lines.append(f"- {name.replace('_', ' ')}: {shown(value)}")
    return "\n".join(lines) + "\n\n" if lines else ""
