"""A changelog tells the state, whoever wrote late; whatever holds it."""

import time

import pytest

from streams.lane import Record
from streams.lane.disk import DiskStore
from streams.lane.restore import LAG_MS, MARK, Copy, epoch_of, mark
from streams.lane.store import MemoryStore, Stamp
from streams.lane.view import View


@pytest.fixture(params=["memory", "disk"])
def copy(request, tmp_path):
    return Copy(MemoryStore() if request.param == "memory" else DiskStore(tmp_path / "0", "id"))


@pytest.fixture
def restored(copy):
    def take(*records):
        copy.take(records, len(records))
        return copy

    return take


def values(copy):
    return dict(copy.store.contents)


def written(key, value, epoch, offset=0, age_ms=0):
    written_ms = int(time.time() * 1000) - age_ms
    return Record(0, key, value, ((MARK, mark(epoch, offset)),), written_ms)


def test_the_last_write_of_an_owner_wins(restored):
    assert values(restored(written(b"k", b"1", 5), written(b"k", b"2", 5))) == {b"k": b"2"}


def test_a_late_write_of_an_earlier_owner_loses_and_is_noted(restored):
    state = restored(written(b"k", b"new", 6), written(b"k", b"stale", 5))
    assert values(state) == {b"k": b"new"}
    assert state.overtaken == {b"k"}


def test_a_late_write_that_the_owner_has_covered_needs_no_repair(restored):
    state = restored(
        written(b"k", b"new", 6), written(b"k", b"stale", 5), written(b"k", b"newer", 6)
    )
    assert values(state) == {b"k": b"newer"}
    assert state.overtaken == set()


@pytest.mark.parametrize("age_ms", [0, LAG_MS + 1])
def test_a_late_write_does_not_bring_a_deleted_key_back(restored, age_ms):
    state = restored(written(b"k", None, 6), written(b"k", b"stale", 5, age_ms=age_ms))
    assert values(state) == {}
    assert state.overtaken == {b"k"}


def test_a_late_write_does_not_bring_back_what_was_deleted_a_portion_before(restored):
    restored(written(b"k", None, 6))
    state = restored(written(b"k", b"stale", 5, age_ms=LAG_MS + 1_000))
    assert values(state) == {}
    assert state.overtaken == {b"k"}


def test_a_late_write_loses_to_what_a_store_held_before(copy, restored):
    copy.store.apply({b"k": b"true"}, Stamp(10, 6))
    state = restored(written(b"k", b"stale", 5, age_ms=LAG_MS + 1))
    assert values(state) == {b"k": b"true"}
    assert state.overtaken == {b"k"}


def test_a_late_write_of_what_the_owner_does_not_have_loses_too(restored):
    state = restored(written(b"a", b"1", 6), written(b"b", b"stale", 5))
    assert values(state) == {b"a": b"1"}
    assert state.overtaken == {b"b"}


def test_a_late_write_is_better_than_nothing_where_compaction_has_been(restored):
    state = restored(written(b"a", b"1", 6), written(b"b", b"late", 5, age_ms=LAG_MS + 1_000))
    assert values(state) == {b"a": b"1", b"b": b"late"}
    assert state.overtaken == set()


def test_late_writes_are_told_across_portions(restored):
    restored(written(b"k", b"new", 6))
    state = restored(written(b"k", b"stale", 5))
    assert values(state) == {b"k": b"new"}
    assert state.overtaken == {b"k"}


def test_a_key_set_again_after_its_tombstone_keeps_even_an_empty_value(restored):
    state = restored(written(b"k", b"1", 5), written(b"k", None, 5), written(b"k", b"", 5))
    assert values(state) == {b"k": b""}


def test_a_record_without_a_mark_is_older_than_any_with_one(restored):
    state = restored(written(b"k", b"marked", 1), Record(1, b"k", b"plain"))
    assert values(state) == {b"k": b"marked"}
    assert epoch_of([("mark", b"short")]) == 0


def test_the_newest_epoch_is_known_so_that_the_next_owner_exceeds_it(restored):
    state = restored(written(b"a", b"", 7), written(b"b", b"", 3))
    assert state.store.stamp == Stamp(2, 7)


def test_a_view_sees_its_own_changes_and_leaves_the_durable_state_alone():
    durable = {b"a": b"1", b"b": b"2"}
    view = View(durable)
    view.put(b"a", b"")
    view.put(b"b", None)
    assert (view.get(b"a"), view.get(b"b"), view.get(b"c")) == (b"", None, None)
    assert durable == {b"a": b"1", b"b": b"2"}
