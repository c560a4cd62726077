"""The benchmark's own arithmetic: medians, goals, ratios, and results that survive a failure."""

import asyncio
from types import ModuleType, SimpleNamespace

import pytest

from tests.bench import report
from tests.bench.__main__ import measured
from tests.bench.sampling import Profile


def test_medians_are_taken_of_every_number_nested_ones_too():
    passes = [
        {"rate": 1.0, "steps": {"parse": 10.0}, "note": "a"},
        {"rate": 9.0, "steps": {"parse": 30.0}, "note": "b"},
        {"rate": 2.0, "steps": {"parse": 20.0}, "note": "c"},
    ]
    assert report.medians(passes) == {"rate": 2.0, "steps": {"parse": 20.0}, "note": "a"}


def test_a_key_that_a_pass_lacks_has_no_median():
    assert report.medians([{"a": 1, "b": 2}, {"a": 3}]) == {"a": 2}


@pytest.mark.parametrize(
    ("value", "goal", "answer"),
    [
        (25_000, "≥ 25,000/s", True),
        (24_999.9, "≥ 25,000/s", False),
        (15.0, "≤ 15 s", True),
        (15.1, "≤ 15 s", False),
        (0.7, "≥ 0.7", True),
        (1, "as fast as it goes", None),
        ("fast", "≥ 1", None),
        (None, "≥ 1", None),
    ],
)
def test_a_goal_names_a_bound_that_is_met_or_not(value, goal, answer):
    assert report.met(value, goal) is answer


def test_a_figure_replaces_its_own_results_and_no_others():
    before = {"core": {"measured": {"rate": 1}}, "worker": {"measured": {"rate": 2}}}
    after = report.merged(before, "core", {"measured": {"rate": 3}})
    assert after == {"core": {"measured": {"rate": 3}}, "worker": {"measured": {"rate": 2}}}


def test_a_failure_keeps_what_was_measured_until_it_succeeds_again():
    before = {"core": {"measured": {"rate": 1}}}
    failed = report.merged(before, "core", {"failed": {"why": "no", "date": "today"}})
    assert failed["core"]["measured"] == {"rate": 1}
    assert failed["core"]["failed"]["why"] == "no"
    mended = report.merged(failed, "core", {"measured": {"rate": 2}})
    assert mended == {"core": {"measured": {"rate": 2}}}


def test_a_ratio_needs_both_of_its_figures():
    core = {"measured": {"events_per_second": 100.0, "cpu_us_per_event": 10.0}}
    worker = {"measured": {"events_per_second": 50.0, "cpu_us_per_event": 40.0}}
    found = report.ratios({"core": core, "worker": worker})
    assert found["measured"] == {"worker_over_core": 0.5, "worker_over_core_by_cpu": 0.25}
    assert found["goals"] == {"worker_over_core": "≥ 0.7"}
    assert report.ratios({"core": core})["measured"] == {}


def test_the_table_says_of_each_number_whether_its_goal_is_met():
    rows = report.table(
        {
            "core": {"measured": {"rate": 10, "steps": {"parse": 2.5}}, "goals": {"rate": "≥ 20"}},
            "late": {"measured": {}, "goals": {"seconds": "≤ 1 s"}},
            "lost": {"failed": {"why": "ValueError: a|b\nmore", "date": "2026-01-01"}},
        }
    ).splitlines()
    assert any("| rate | 10 | ≥ 20 | **no** |" in row for row in rows)
    assert any("| steps.parse | 2.5 |" in row for row in rows)
    assert any("| seconds | not measured | ≤ 1 s | **no** |" in row for row in rows)
    assert any("**failed**: ValueError: a/b |" in row for row in rows)


def figure(name, measure, repeat=False):
    made = ModuleType(name)
    made.NAME, made.GOALS, made.REPEAT, made.measure = name, {}, repeat, measure
    return made


def test_one_failing_figure_does_not_lose_the_others(tmp_path):
    def cancelled(_):
        raise asyncio.CancelledError

    bench = SimpleNamespace(runs=1, events=1)
    figures = [
        figure("bad", lambda _: 1 / 0),
        figure("cut", cancelled),
        figure("good", lambda _: {"rate": 1}),
    ]
    found = measured(bench, figures, tmp_path)
    assert found["bad"]["failed"]["why"].startswith("ZeroDivisionError")
    assert "CancelledError" in found["cut"]["failed"]["why"]
    kept = report.read(tmp_path)
    assert kept["good"]["measured"] == {"rate": 1}
    assert set(kept["good"]["about"]) >= {"machine", "date", "commit", "versions", "load_before"}
    assert "**failed**" in (tmp_path / "latest.md").read_text(encoding="utf-8")


def test_figures_that_repeat_take_turns(tmp_path):
    order = []
    figures = [
        figure(name, lambda _, name=name: order.append(name) or {"rate": len(order)}, repeat=True)
        for name in ("a", "b")
    ]
    found = measured(SimpleNamespace(runs=3, events=1), figures, tmp_path)
    assert order == ["a", "b", "a", "b", "a", "b"]
    assert found["a"]["measured"]["rate"] == 3
    assert found["b"]["measured"]["rate"] == 4
    assert len(found["a"]["passes"]) == 3


def test_a_profile_counts_own_and_total_time_of_the_stacks_asked_for():
    stacks = "main (x.py:1);run (core.py:2);parse (p.py:3) 6\nmain (x.py:1);load (x.py:9) 90\n"
    stacks += "main (x.py:1);run (core.py:2) 4\n"
    profile = Profile(stacks, within="run (core.py")
    assert profile.samples == 10
    assert profile.top(1) == [["parse (p.py:3)", 0.6]]
    assert profile.total["run (core.py:2)"] == 10
    assert "60.0%  60.0%  parse (p.py:3)" in profile.text("a title")
