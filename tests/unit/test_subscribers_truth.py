"""The made-up subscribers: the core's labels are what happened to them, their truth is a chance."""

from math import sqrt

import pytest

from models.contracts import GRACE_DAYS
from tests.evaluation.sets.contracts import HORIZON, examples
from tests.evaluation.subscribers import BOOKED, subscriber
from tests.evaluation.subscribers_truth import truth

PEOPLE = 60


@pytest.fixture(scope="module")
def world():
    people = [subscriber(5, number) for number in range(PEOPLE)]
    return people, examples(people)


def signed(people, row):
    (one,) = [one for one in people if one.name == row.key]
    return [each for each in one.contracts if each.begins + BOOKED <= row.at + 1e-6][-1]


def test_a_customer_lives_the_same_life_whatever_others_there_are():
    alone, again = subscriber(5, 3), subscriber(5, 3)
    assert alone == again
    assert alone.events != subscriber(6, 3).events


def test_each_label_is_whether_the_world_ended_the_contract_within_the_horizon(world):
    people, rows = world
    came = 0
    for row in rows:
        ended = signed(people, row).ended
        if ended is None:
            over = False
        elif ended == int(ended):  # a term's end that was not renewed
            over = ended + GRACE_DAYS <= row.at + HORIZON + 1e-6
        else:
            over = ended < row.at + HORIZON
        assert row.label == float(over)
        came += over
    assert came > 50


def test_the_truth_foresees_as_many_ends_as_there_are_and_each_label_better_than_their_share(world):
    people, rows = world
    chances = truth(people, [(row.key, row.at) for row in rows], HORIZON, GRACE_DAYS)
    assert all(0.0 <= chance <= 1.0 for chance in chances)
    base = sum(row.label for row in rows) / len(rows)
    # Predictions of one customer hang together: what counts is about one contract's month.
    spread = 3.0 * sqrt(base / (len(rows) / 8))
    assert sum(chances) / len(rows) == pytest.approx(base, abs=spread)
    missed = sum((row.label - chance) ** 2 for row, chance in zip(rows, chances, strict=True))
    assert missed < 0.95 * sum((row.label - base) ** 2 for row in rows)


def test_who_has_not_renewed_is_the_surer_gone_the_later_it_is(world):
    people, _ = world
    late = [
        (one.name, due.day)
        for one in people
        for each in one.contracts
        for due in each.terms
        if due.booked is None
    ]
    assert late
    for name, day in late:
        first, then, last = truth(people, [(name, day + d + 0.5) for d in (0, 3, 6)], 30, 7)
        assert first < then < last == pytest.approx(1.0)
