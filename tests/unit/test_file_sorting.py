"""Rows by time: the same whatever fits in memory, and told when a file is not so ordered."""

import io
import json
import random
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from infra.cli.ingest_view import warn_late
from infra.files.drafts import Source
from infra.files.errors import FileUnreadableError
from infra.files.importer import Report, check
from infra.files.orders import AsWritten
from infra.files.sorting import ByTime

START = datetime(2026, 3, 1, tzinfo=UTC)


def view(minute: float, path: str = "/") -> dict:
    return {
        "type": "page_viewed",
        "occurred_at": (START + timedelta(minutes=minute)).isoformat(),
        "identifiers": [{"type": "user_id", "value": "ana"}],
        "path": path,
    }


def source(path, *events) -> Source:
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return Source(path, "jsonl", path.name)


def filled(by_time: ByTime, *sources: Source) -> ByTime:
    for number, one in enumerate(sources):
        check(
            one,
            lambda *_: None,
            lambda draft, file=number: by_time.add(file, draft),
            lambda _: None,
            Report(),
        )
    return by_time


def paths(order) -> list[str]:
    return [json.loads(place.made().value)["path"] for place in order.places()]


def report_of(one: Source, newest: datetime | None = None) -> Report:
    report = Report(newest=newest)
    check(one, lambda *_: None, lambda _: None, lambda _: None, report)
    return report


@given(
    minutes=st.lists(st.integers(-5, 5), min_size=1, max_size=30),
    most_bytes=st.sampled_from([1, 1_500, 1_000_000]),
    most_runs=st.integers(2, 4),
)
def test_however_little_fits_in_memory_rows_come_by_time_and_equal_times_as_written(
    tmp_path_factory, minutes, most_bytes, most_runs
):
    folder = tmp_path_factory.mktemp("sort")
    events = [view(minute, f"/{at}") for at, minute in enumerate(minutes)]
    one = source(folder / "a.jsonl", *events)
    with closing(ByTime([one], folder / "tmp", most_bytes, most_runs)) as order:
        filled(order, one)
        expected = [at for _, at in sorted((minute, at) for at, minute in enumerate(minutes))]
        assert paths(order) == paths(order) == [f"/{at}" for at in expected]
        assert order.count == len(minutes)


def test_files_are_sent_as_one_and_each_row_keeps_the_id_and_the_source_of_its_file(tmp_path):
    orders = source(tmp_path / "orders.jsonl", view(2, "/b"), view(4, "/d"))
    visits = source(tmp_path / "visits.jsonl", view(1, "/a"), view(3, "/c"))
    with closing(ByTime([orders, visits], tmp_path)) as by_time:
        made = [place.made() for place in filled(by_time, orders, visits).places()]
    written = [place.made() for one in (orders, visits) for place in AsWritten(one).places()]
    assert [row.source.name for row in made] == [
        *("visits.jsonl", "orders.jsonl", "visits.jsonl", "orders.jsonl")
    ]
    assert sorted(made, key=str) == sorted(written, key=str)


def test_a_sorted_file_that_grows_at_its_end_keeps_its_marks_and_another_does_not(tmp_path):
    events = [view(minute, f"/{minute}") for minute in (5, 1, 3)]

    def marks(*more) -> list[str]:
        one = source(tmp_path / "a.jsonl", *events, *more)
        with closing(ByTime([one], tmp_path)) as order:
            return [place.mark for place in filled(order, one).places()]

    before = marks()
    assert marks(view(9, "/9"))[:3] == before
    assert marks(view(2, "/2"))[:3] != before


def test_what_is_put_aside_on_disk_has_no_name_and_needs_a_folder_to_be_in(tmp_path):
    events = [view(minute) for minute in random.Random(1).sample(range(50), 50)]
    one = source(tmp_path / "a.jsonl", *events)
    with closing(ByTime([one], tmp_path / "tmp", most_bytes=1)) as order:
        assert len(list(filled(order, one).places())) == 50
        assert list((tmp_path / "tmp").iterdir()) == []
    nowhere = ByTime([one], one.path, most_bytes=1)
    with closing(nowhere), pytest.raises(FileUnreadableError, match="cannot sort there"):
        filled(nowhere, one)


def test_rows_that_come_late_are_counted_with_the_first_line_and_the_longest_delay(tmp_path):
    minutes = [0, 10, 10, 4, 11, 1, 12]
    report = report_of(source(tmp_path / "a.jsonl", *map(view, minutes)))
    assert (report.late, report.first_late, report.late_by) == (2, 4, timedelta(minutes=10))
    in_order = report_of(source(tmp_path / "b.jsonl", *map(view, sorted(minutes))))
    assert (in_order.late, in_order.first_late, in_order.late_by) == (0, 0, timedelta(0))


def test_a_file_that_begins_before_the_last_one_ended_comes_late_too(tmp_path):
    first = report_of(source(tmp_path / "a.jsonl", view(0), view(10)))
    second = report_of(source(tmp_path / "b.jsonl", view(5), view(20)), first.newest)
    assert (second.late, second.first_late) == (1, 1)
    assert second.earliest == START + timedelta(minutes=5)  # its own


@pytest.mark.parametrize(
    ("late", "told", "advice"),
    [
        (timedelta(hours=3), "by up to 3 hours.", "nothing to do"),
        (timedelta(days=40), "by up to 40 days.", "--sort sends it by time"),
    ],
)
def test_the_warning_names_the_line_the_delay_and_what_to_do(tmp_path, late, told, advice):
    out = io.StringIO()
    report = Report(late=1_200, first_late=7, late_by=late)
    warn_late(Console(file=out, width=40), tmp_path / "a.jsonl", report)
    text = out.getvalue()
    assert "1,200 rows are older than one before, the first in line 7" in text
    assert told in text
    assert advice in text
