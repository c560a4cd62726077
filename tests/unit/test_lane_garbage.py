"""Garbage in cycles is looked for seldom, yet found, and what was loaded is left alone."""

import gc
import weakref

import pytest

from streams.lane.garbage import FIRST_ROUNDS, NEW, look_seldom


class Knot:
    """An object in a cycle: no count frees it."""

    def __init__(self):
        self.own = self


@pytest.fixture(autouse=True)
def _as_it_was():
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_is_loaded_by_then_is_never_looked_through_again():
    loaded = Knot()
    look_seldom()
    assert not any(one is loaded for one in gc.get_objects())


def test_what_was_garbage_by_then_is_freed_and_not_kept_for_good():
    gone = weakref.ref(Knot())
    assert gone() is not None
    look_seldom()
    assert gone() is None


def test_the_newest_are_looked_through_before_there_are_many():
    look_seldom()
    knots = [weakref.ref(Knot()) for _ in range(2 * NEW)]
    assert sum(one() is not None for one in knots) <= NEW


def test_nothing_is_looked_through_for_a_few():
    look_seldom()
    rounds = []
    gc.callbacks.append(lambda phase, told: rounds.append(told))
    try:
        kept = [Knot() for _ in range(NEW // 3)]
    finally:
        gc.callbacks.pop()
    assert kept
    assert rounds == []


def test_what_became_garbage_when_it_was_no_longer_new_is_found_too():
    look_seldom()
    older = Knot()
    for _ in range(2 * NEW):
        Knot()
    gone = weakref.ref(older)
    del older
    for _ in range((FIRST_ROUNDS + 2) * NEW):
        Knot()
    assert gone() is None
