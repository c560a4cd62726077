"""Visits and the gaps between them: six hours part two visits, and order changes nothing of it."""

from functools import reduce

import pytest

from models.rhythm import DAY_MS, SESSION_MS, beat, join, silence_days
from models.visits import Rhythm

T0 = 1_780_000_000_000
HOUR = 3_600_000


def told(*times):
    return reduce(beat, times, Rhythm())


@pytest.mark.parametrize(("apart", "visits"), [(0, 1), (SESSION_MS - 1, 1), (SESSION_MS, 2)])
def test_a_visit_ends_with_six_hours_of_silence_whichever_contact_is_told_first(apart, visits):
    assert told(T0, T0 + apart).visits == visits
    assert told(T0 + apart, T0).visits == visits


def test_only_the_silence_between_visits_is_a_gap():
    rhythm = told(T0, T0 + HOUR, T0 + HOUR + DAY_MS, T0 + HOUR + 4 * DAY_MS)
    assert (rhythm.visits, rhythm.gaps, rhythm.gap_mean, rhythm.gap_m2) == (3, 2, 2.0, 2.0)
    assert (rhythm.first_ms, rhythm.last_ms) == (T0, T0 + HOUR + 4 * DAY_MS)


@pytest.mark.parametrize("apart", [0, 1, SESSION_MS - 1, SESSION_MS, DAY_MS])
def test_of_two_who_follow_each_other_it_is_what_all_contacts_in_order_give(apart):
    one = [T0, T0 + DAY_MS, T0 + 3 * DAY_MS]
    other = [one[-1] + apart + at for at in (0, DAY_MS, 6 * DAY_MS)]
    whole = told(*one, *other)
    for joined in (join(told(*one), told(*other)), join(told(*other), told(*one))):
        assert (joined.visits, joined.gaps) == (whole.visits, whole.gaps)
        assert (joined.first_ms, joined.last_ms) == (whole.first_ms, whole.last_ms)
        assert joined.gap_mean == pytest.approx(whole.gap_mean)
        assert joined.gap_m2 == pytest.approx(whole.gap_m2)


def test_silence_begins_with_the_last_contact_and_is_never_negative():
    assert silence_days(Rhythm(), T0) == 0.0
    assert [silence_days(told(T0), T0 + at) for at in (-HOUR, 0, 12 * HOUR)] == [0.0, 0.0, 0.5]
