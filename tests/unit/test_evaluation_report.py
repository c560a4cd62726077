"""The evaluation's page: every goal is a row, and what failed says so."""

import json

from tests.evaluation import report
from tests.evaluation.measure import at_least, at_most


def result(*goals, **measured):
    about = {"date": "2026-03-01T12:00:00", "commit": "abcdef123456", "seconds": 1.5}
    return {"about": about, "goals": [goal.told() for goal in goals], "measured": measured}


def test_a_goal_is_met_or_not_and_says_why():
    results = {
        "one": result(at_least("one: AUC", 0.81, 0.8), at_most("one: ECE", 0.03, 0.02, "few rows")),
        "two": {"failed": {"why": "ValueError: no | such data\nmore", "date": "2026-03-01"}},
    }
    table = report.goals_table(results).splitlines()
    assert table[2] == "| one: AUC | 0.8100 | ≥ 0.8000 | yes |  |"
    assert table[3] == "| one: ECE | 0.0300 | ≤ 0.0200 | **no** | few rows |"
    assert table[4] == "| two | | | **failed** | ValueError: no / such data |"


def test_a_figure_that_is_not_defined_meets_no_goal():
    assert not at_least("AUC", None, 0.5).met
    assert not at_most("ECE", None, 0.5).met


def test_results_are_written_with_their_page_and_read_again(tmp_path):
    figures = {"champion": {"rows": 5, "auc": 0.75, "log_loss": 0.5}}
    run = {
        "rows": 10, "tested_from": 5, "unlabelled": 0, "tested": figures,
        "calibration": {"champion": [{"rows": 5, "predicted": 0.2, "observed": 0.25}]},
        "lift": {"champion": [1.0] * 10}, "windows": [],
    }  # fmt: skip
    results = {"one": result(at_least("one: AUC", 0.75, 0.7), **run)}
    report.write(results, tmp_path)
    page = (tmp_path / "latest.md").read_text(encoding="utf-8")
    assert "| champion | 5 |" in page
    assert "## Limits" in page
    assert (tmp_path / "one-calibration.svg").read_text(encoding="utf-8").startswith("<svg")
    assert report.read(tmp_path) == json.loads(json.dumps(results))


def test_floats_are_kept_to_six_digits():
    assert report.rounded({"a": [0.123456789, 1]}) == {"a": [0.123457, 1]}
