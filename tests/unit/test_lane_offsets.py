"""Only what is wholly processed, with all before it, is ever committed."""

import pytest

from streams.lane.offsets import Offsets
from streams.lane.pace import FIRST, LEAST, MOST, MOST_BYTES, SPAN, Pace

HERE, THERE = ("events", 0), ("events", 1)


@pytest.fixture
def offsets():
    offsets = Offsets()
    offsets.begin({HERE: 10})
    for last in (14, 19, 24):
        offsets.handed_out(HERE, last)
    return offsets


def test_what_was_committed_is_done_and_the_rest_is_open(offsets):
    assert (offsets.done(HERE), offsets.done(THERE)) == (10, None)
    assert (offsets.open(HERE), offsets.open(THERE)) == (3, 0)
    assert (offsets.next(HERE), offsets.next(THERE)) == (25, 0)


def test_a_batch_that_ends_before_an_earlier_one_is_done_with_it(offsets):
    offsets.finished(HERE, 24)
    offsets.finished(HERE, 19)
    assert (offsets.done(HERE), offsets.open(HERE)) == (10, 3)
    offsets.finished(HERE, 14)
    assert (offsets.done(HERE), offsets.open(HERE)) == (25, 0)


def test_what_is_open_is_counted_in_records(offsets):
    offsets.handed_out(HERE, 99, records=50)
    assert offsets.open(HERE) == 53
    for last in (14, 19, 24, 99):
        offsets.finished(HERE, last)
    assert offsets.open(HERE) == 0


def test_partitions_are_accounts_of_their_own(offsets):
    offsets.handed_out(THERE, 14)
    offsets.finished(THERE, 14)
    assert (offsets.done(HERE), offsets.done(THERE)) == (10, 15)


def test_a_tenures_end_forgets_all_so_that_the_next_begins_with_what_was_committed(offsets):
    offsets.finished(HERE, 19)
    offsets.end()
    assert list(offsets.places()) == []
    assert (offsets.done(HERE), offsets.open(HERE), offsets.next(HERE)) == (None, 0, 0)
    offsets.begin({HERE: 10})
    offsets.handed_out(HERE, 14)
    offsets.handed_out(HERE, 19)
    offsets.finished(HERE, 14)
    assert offsets.done(HERE) == 15  # 19 was finished in another life


def test_a_batch_holds_what_takes_the_span_and_other_topics_are_judged_by_themselves():
    pace = Pace()
    assert pace.records("events") == FIRST
    for _ in range(50):
        pace.took("events", 500, 500 * 100e-6, 500 * 400)
        pace.took("touchpoints", 500, 500 * 25e-6, 500 * 400)
    assert pace.records("events") == pytest.approx(SPAN / 100e-6, abs=1)
    assert pace.records("touchpoints") == pytest.approx(SPAN / 25e-6, abs=1)


def test_neither_cheap_nor_dear_work_leaves_the_borders():
    pace = Pace()
    pace.took("cheap", 1_000, 0.0, 500 * 400)
    pace.took("dear", 1_000, 100.0, 500 * 400)
    assert (pace.records("cheap"), pace.records("dear")) == (MOST, LEAST)


def test_a_small_batch_teaches_nothing():
    pace = Pace()
    pace.took("events", LEAST - 1, 10.0, 500 * 400)
    assert pace.records("events") == FIRST


def test_large_records_make_short_batches_however_cheap():
    pace = Pace()
    for _ in range(50):
        pace.took("large", 200, 0.0, 200 * 8_000)
        pace.took("huge", 100, 0.0, 100 * 2 * MOST_BYTES)
    assert pace.records("large") == MOST_BYTES // 8_000
    assert pace.records("huge") == 1
    for _ in range(50):
        some = pace.records("huge")
        pace.took("huge", some, 0.0, some * 100)  # it learns of ordinary ones, too
    assert pace.records("huge") > LEAST


def test_a_topic_may_be_held_to_short_batches_whatever_they_cost():
    pace = Pace()
    pace.most["touchpoints"] = 100
    assert pace.records("touchpoints") == 100
    for _ in range(20):
        pace.took("touchpoints", 100, 0.000_1, 100 * 400)
    assert pace.records("touchpoints") == 100
    del pace.most["touchpoints"]
    assert pace.records("touchpoints") == MOST
