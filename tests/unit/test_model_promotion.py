"""Promotion: equals do not take turns, the better one wins."""

import json
import math
import random

import pytest

from models.online import promotion
from models.online.promotion import DWELL, FLOOR, Race, loss

NAMES = ("prior", "blend", "other")


def true_chance(rng):
    return 1 / (1 + math.exp(-rng.gauss(0, 1.5)))


def blurred(chance, noise, rng):
    logit = math.log(chance / (1 - chance)) + rng.gauss(0, noise)
    return 1 / (1 + math.exp(-logit))


def raced(noises, examples, seed=1, race=None, errors=None):
    """Race candidates whose logits are off by so much noise each; return who served when."""
    rng = random.Random(seed)
    race = race or Race("blend", NAMES)
    crowned = []
    for number in range(examples):
        chance = true_chance(rng)
        label = float(rng.random() < chance)
        race.update({name: blurred(chance, noises[name], rng) for name in NAMES}, label)
        winner = race.winner(errors or dict.fromkeys(NAMES, 0.01))
        if winner is not None:
            crowned.append((number, winner))
            race.crown(winner)
    return race, crowned


@pytest.mark.parametrize("seed", range(5))
def test_equals_do_not_take_turns(seed):
    _, crowned = raced(dict.fromkeys(NAMES, 0.5), 4_000, seed)
    assert crowned == []


def test_a_better_challenger_takes_over_and_stays():
    race, crowned = raced({"prior": 1.5, "blend": 1.2, "other": 0.1}, 6_000)
    assert [name for _, name in crowned] == ["other"]
    assert crowned[0][0] >= DWELL
    assert race.champion == "other"


def test_after_a_drift_the_one_that_is_right_now_wins_back():
    race, _ = raced({"prior": 1.5, "blend": 1.2, "other": 0.1}, 6_000)
    race, crowned = raced({"prior": 1.5, "blend": 0.1, "other": 1.2}, 6_000, 2, race)
    assert [name for _, name in crowned] == ["blend"]


def test_what_was_lost_before_need_not_be_won_back():
    race = Race("blend", NAMES)
    race._bets["other"][0] = -9.0
    race.update({"prior": 0.5, "blend": 0.5, "other": 0.9}, 1.0)
    assert race.evidence["other"] >= math.log(0.5)


def test_nobody_takes_over_with_few_labels():
    race = Race("blend", NAMES)
    for _ in range(DWELL - 1):
        race.update({"prior": 0.5, "blend": 0.001, "other": 0.999}, 1.0)
        assert race.winner(dict.fromkeys(NAMES, 0.0)) is None
    assert race.evidence["other"] > race.threshold


def test_who_is_badly_calibrated_waits():
    noises = {"prior": 1.5, "blend": 1.2, "other": 0.1}
    errors = {"prior": 0.01, "blend": 0.01, "other": 0.2}
    _, crowned = raced(noises, 6_000, errors=errors)
    assert "other" not in [name for _, name in crowned]


def test_a_few_hostile_examples_promote_nobody():
    race, _ = raced(dict.fromkeys(NAMES, 0.5), 2_000)
    for _ in range(15):  # each as far wrong as can be for the champion, and right for another
        race.update({"prior": 0.5, "blend": 0.0, "other": 1.0}, 1.0)
    assert race.winner(dict.fromkeys(NAMES, 0.0)) is None


def test_no_example_counts_more_than_the_floor_lets_it():
    assert loss(0.0, 1.0) == pytest.approx(-math.log(FLOOR))
    assert loss(1.0, 0.0) == pytest.approx(-math.log(FLOOR))
    most = loss(0.0, 1.0) - loss(1.0, 1.0)
    assert math.log1p(-promotion._STAKE_MOST * most) == pytest.approx(math.log(0.5))


def test_a_race_goes_on_from_its_state_bit_for_bit():
    noises = {"prior": 1.5, "blend": 0.6, "other": 0.5}
    race, _ = raced(noises, 900)
    again = Race.from_state(json.loads(json.dumps(race.to_state())), "blend", NAMES)
    raced(noises, 900, 5, race)
    raced(noises, 900, 5, again)
    assert again.to_state() == race.to_state()


def test_a_champion_that_is_no_more_gives_way_to_the_first():
    race, _ = raced(dict.fromkeys(NAMES, 0.5), 10)
    race.crown("other")
    left = Race.from_state(race.to_state(), "blend", ("prior", "blend"))
    assert left.champion == "blend"
    assert set(left.evidence) == {"prior"}
