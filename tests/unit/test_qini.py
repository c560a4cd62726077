"""What scores know of whom a treatment moves, told by a randomised trial."""

import random

import numpy as np
import pytest

from models.qini import Trial


def trial(score, rows=6_000, seed=1, chance=0.5, ties=False):
    """A treatment that moves those with x > 0 by 0.4, and nobody else."""
    rng = random.Random(seed)
    found = Trial()
    for key in range(rows):
        x = rng.uniform(-1, 1)
        treated = rng.random() < chance
        moved = 0.4 if treated and x > 0 else 0.0
        bought = float(rng.random() < 0.2 + moved)
        found.add(key, score(x, rng), treated, bought, chance if treated else 1 - chance)
    return found.uplift()


def known(x, _):
    return x


def guessed(_, rng):
    return rng.random()


def test_scores_that_know_whom_it_moves_have_a_curve_above_the_line():
    found = trial(known)
    assert found.effect.low <= 0.2 <= found.effect.high
    # Half are moved by 0.4: the curve rises to 0.2 at one half and stays; the area is 0.15.
    assert found.auuc.low <= 0.15 <= found.auuc.high
    assert found.qini.low > 0
    assert found.qini.low <= 0.05 <= found.qini.high
    assert np.mean(found.tenths[:5]) == pytest.approx(0.4, abs=0.06)
    assert np.mean(found.tenths[5:]) == pytest.approx(0.0, abs=0.06)


def test_scores_by_chance_know_nothing_and_scores_upside_down_less():
    assert trial(guessed).qini.low <= 0 <= trial(guessed).qini.high
    upside_down = trial(lambda x, _: -x).qini
    assert upside_down.high < 0


def test_the_same_score_for_all_says_nothing_whatever_the_order_of_rows():
    rng = np.random.default_rng(3)
    found = Trial()
    for key in range(4_000):  # the treatment works on the early rows alone
        treated = bool(rng.integers(2))
        found.add(key, 1.0, treated, float(treated and key < 2_000), 0.5)
    assert found.uplift().qini.low <= 0 <= found.uplift().qini.high


def test_rows_stand_for_as_many_as_their_chance_says():
    found = trial(known, rows=8_000, chance=0.2)
    assert found.effect.low <= 0.2 <= found.effect.high
    uneven = Trial()
    rng = random.Random(2)
    for key in range(8_000):
        x = rng.uniform(-1, 1)
        chance = 0.8 if x > 0 else 0.3  # those it moves were treated more often
        treated = rng.random() < chance
        bought = float(rng.random() < 0.2 + (0.4 if treated and x > 0 else 0.0))
        uneven.add(key, x, treated, bought, chance if treated else 1 - chance)
    assert uneven.uplift().effect.low <= 0.2 <= uneven.uplift().effect.high


def test_rows_of_one_key_are_drawn_together():
    once, often = Trial(), Trial()
    rng = np.random.default_rng(5)
    for key in range(1_500):
        row = (rng.random(), bool(rng.integers(2)), rng.random(), 0.5)
        once.add(key, *row)
        for _ in range(4):
            often.add(key, *row)
    narrow, wide = once.uplift().effect, often.uplift().effect
    assert wide.high - wide.low == pytest.approx(narrow.high - narrow.low, rel=0.01)


def test_too_few_on_a_side_are_refused():
    found = trial(known, rows=150)
    assert found.effect is None
    assert "too few" in found.refused
    assert Trial().uplift().refused


def test_scores_that_are_no_numbers_do_no_harm():
    found = trial(lambda x, rng: float("nan") if rng.random() < 0.3 else x)
    assert np.isfinite([found.qini.value, found.auuc.low, found.auuc.high]).all()
    assert found.qini.low > 0
