"""A step's account is true, and a partition that stands still is found."""

import pytest

from streams.lane import progress as accounts
from streams.lane.check import differences
from streams.lane.pages import exposition
from streams.lane.progress import Progress

HERE = ("c360.events", 2)


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(accounts, "monotonic", clock)
    return clock


@pytest.fixture
def progress():
    progress = Progress()
    progress.add("fold", "c360.events")
    return progress


def test_a_partition_with_lag_that_does_not_move_is_stuck(progress, clock):
    assert progress.stuck({HERE: 5}, lambda _: 7, 60) is None
    clock.now += 61
    assert progress.stuck({HERE: 5}, lambda _: 7, 60) == HERE


def test_a_partition_that_moves_or_has_nothing_to_read_is_not_stuck(progress, clock):
    progress.stuck({HERE: 5}, lambda _: 7, 60)
    clock.now += 61
    assert progress.stuck({HERE: 5}, lambda _: 8, 60) is None
    clock.now += 61
    assert progress.stuck({HERE: 0}, lambda _: 8, 60) is None


def test_patience_begins_anew_when_a_partition_comes_back(progress, clock):
    progress.stuck({HERE: 5}, lambda _: 7, 60)
    progress.stuck({}, lambda _: 7, 60)
    clock.now += 61
    assert progress.stuck({HERE: 5}, lambda _: 7, 60) is None


def test_the_status_counts_lag_and_rate_by_step(progress, clock):
    progress.sample()
    clock.now += 2
    progress.completed("c360.events", 100)
    progress.sample()
    status = progress.status({HERE: 5, ("c360.events", 0): None, ("c360.alerts", 0): 9})
    assert status["fold"] == {
        "topic": "c360.events",
        "partitions": [0, 2],
        "lag": 5,
        "events": 100,
        "batches": 1,
        "events_per_second": 50.0,
        "progress_age_seconds": 0.0,
    }


def test_the_metrics_are_prometheus_text_even_before_the_first_batch(progress):
    text = exposition(progress.status({HERE: 5}))
    assert 'c360_step_lag_events{step="fold"} 5\n' in text
    assert 'c360_step_progress_age_seconds{step="fold"} NaN\n' in text
    assert text.endswith("\n")


def test_missing_and_differently_wide_topics_are_named():
    lines = differences({"a": 4, "b": 4, "c": 1}, {"a": 4, "b": 8})
    assert [line.split(":")[0] for line in lines] == [
        "topic b has 8 partitions, not 4",
        "topic c is missing",
    ]
