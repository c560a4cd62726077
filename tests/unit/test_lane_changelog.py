"""A changelog tells the state, whoever wrote late."""

from streams.lane import Record
from streams.lane.restore import MARK, Restored, epoch_of, mark
from streams.lane.state import apply
from streams.lane.view import View


def written(key, value, epoch, offset=0):
    return Record(0, key, value, ((MARK, mark(epoch, offset)),))


def restored(*records):
    state = Restored()
    state.apply(records)
    return state


def test_the_last_write_of_an_owner_wins():
    assert restored(written(b"k", b"1", 5), written(b"k", b"2", 5)).values == {b"k": b"2"}


def test_a_late_write_of_an_earlier_owner_loses_and_is_noted():
    state = restored(written(b"k", b"new", 6), written(b"k", b"stale", 5))
    assert state.values == {b"k": b"new"}
    assert state.overtaken == {b"k"}


def test_a_late_write_that_the_owner_has_covered_needs_no_repair():
    state = restored(
        written(b"k", b"new", 6), written(b"k", b"stale", 5), written(b"k", b"newer", 6)
    )
    assert state.values == {b"k": b"newer"}
    assert state.overtaken == set()


def test_a_late_write_does_not_bring_a_deleted_key_back():
    state = restored(written(b"k", None, 6), written(b"k", b"stale", 5))
    assert state.values == {}
    assert state.overtaken == {b"k"}


def test_a_key_set_again_after_its_tombstone_keeps_even_an_empty_value():
    state = restored(written(b"k", b"1", 5), written(b"k", None, 5), written(b"k", b"", 5))
    assert state.values == {b"k": b""}


def test_a_record_without_a_mark_is_older_than_any_with_one():
    state = restored(written(b"k", b"marked", 1), Record(1, b"k", b"plain"))
    assert state.values == {b"k": b"marked"}
    assert epoch_of([("mark", b"short")]) == 0


def test_the_newest_epoch_is_known_so_that_the_next_owner_exceeds_it():
    assert restored(written(b"a", b"", 7), written(b"b", b"", 3)).epoch == 7


def test_falsy_values_stay_and_none_forgets():
    values = {b"gone": b"x"}
    apply(values, {b"gone": None, b"empty": b"", b"zero": b"0", b"unknown": None})
    assert values == {b"empty": b"", b"zero": b"0"}


def test_a_view_sees_its_own_changes_and_leaves_the_durable_state_alone():
    durable = {b"a": b"1", b"b": b"2"}
    view = View(durable)
    view.put(b"a", b"")
    view.put(b"b", None)
    assert (view.get(b"a"), view.get(b"b"), view.get(b"c")) == (b"", None, None)
    assert durable == {b"a": b"1", b"b": b"2"}
