"""A report as a page: Markdown, or one HTML file with its pictures in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from infra.errors import UserError
from infra.evaluation.pictures import pictures

# What is shown of a candidate, by what the rows are.
FIGURES = {
    "churn": (
        "rows", "base_rate", "auc", "log_loss", "brier", "ece", "lift_top_tenth",
    ),
    "offers": ("rows", "value", "low", "high", "effective_rows"),
}  # fmt: skip
LIMITS = {
    "churn": (
        "Who was acted on (called, given an offer) because of a prediction may have stayed for "
        "that reason: such rows teach that high risk does not come true. Evaluate them apart.",
        "Figures hold for rows like these, in this order. A label that is known later than the "
        "file says makes the learner slower than it is here.",
        "Calibration is of all rows together; a group of customers can be off all the same.",
    ),
    "offers": (
        "A logged reward says nothing about arms that were not taken: the estimates rest on the "
        "propensities, and are wrong if those are.",
        "Arms that the log never could take have no estimate at all.",
        "A policy that is followed changes what comes next; that is not in these figures.",
    ),
}
_HTML = jinja2.Environment(autoescape=True)
_MARKDOWN = jinja2.Environment(autoescape=False, trim_blocks=True)  # noqa: S701  plain text
_PAGE = """\
<!doctype html><html lang="en"><meta charset="utf-8"><title>{{ file }}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 }
td, th { padding: .2rem .8rem; text-align: right; border-bottom: 1px solid #ddd }
td:first-child, th:first-child { text-align: left } svg { max-width: 100%; height: auto }
</style>
<h1>{{ file }}</h1>
{% for sentence in verdict %}<p>{{ sentence }}</p>{% endfor %}
{% for title, names, rows in tables %}<h2>{{ title }}</h2>
<table><tr><th></th>{% for name in names %}<th>{{ name }}</th>{% endfor %}</tr>
{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</table>{% endfor %}
{% for title, picture in pictures %}<h2>{{ title }}</h2>{{ picture | safe }}{% endfor %}
<h2>What was taken for what</h2><ul>{% for note in notes %}<li>{{ note }}</li>{% endfor %}</ul>
<h2>Left out</h2><p>{{ trouble.rows_left_out }} rows, {{ trouble.cells_emptied }} cells.</p>
<ul>{% for line in trouble.told %}<li>{{ line }}</li>{% endfor %}</ul>
<h2>Limits</h2><ul>{% for limit in limits %}<li>{{ limit }}</li>{% endfor %}</ul>
</html>
"""
_TEXT = """\
# {{ file }}

{% for sentence in verdict %}{{ sentence }}
{% endfor %}
{% for title, names, rows in tables %}## {{ title }}

| |{% for name in names %} {{ name }} |{% endfor %}
|---|{% for name in names %}---|{% endfor %}
{% for row in rows %}|{% for cell in row %} {{ cell }} |{% endfor %}
{% endfor %}
{% endfor %}## What was taken for what

{% for note in notes %}- {{ note }}
{% endfor %}
## Left out

{{ trouble.rows_left_out }} rows, {{ trouble.cells_emptied }} cells.

{% for line in trouble.told %}- {{ line }}
{% endfor %}
## Limits

{% for limit in limits %}- {{ limit }}
{% endfor %}"""


def page(result: Mapping[str, Any], path: Path) -> None:
    """Write a report. Raises UserError when it cannot be written."""
    html = path.suffix.lower() == ".html"
    template = (_HTML if html else _MARKDOWN).from_string(_PAGE if html else _TEXT)
    text = template.render(
        **result,
        tables=_tables(result),
        pictures=pictures(result) if html else [],
        limits=LIMITS[result["kind"]],
    )
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error})") from error


def ordered(figures: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the candidates' figures, the champion first, batch models last."""
    return sorted(
        figures.items(), key=lambda one: (one[0] != "champion", one[0].startswith("batch_"))
    )


def shown(value: object) -> str:
    """Return a figure as text."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 100 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _tables(result: Mapping[str, Any]) -> list[tuple[str, tuple[str, ...], list[list[str]]]]:
    figures = FIGURES[result["kind"]]
    names = tuple(name.replace("_", " ") for name in figures)
    return [
        (title, names, _rows(result[part], figures))
        for title, part in (("Tested part", "tested"), ("All rows", "whole"))
    ]


def _rows(found: Mapping[str, Any], figures: tuple[str, ...]) -> list[list[str]]:
    return [[name, *(shown(one.get(key)) for key in figures)] for name, one in ordered(found)]
