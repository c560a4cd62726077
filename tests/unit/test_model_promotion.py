"""Promotion and drift: equals do not take turns, the better one wins, a change is told once."""

import json
import math
import random

import pytest
from river.drift import ADWIN

from models.online import promotion
from models.online.drift import CALM, DELTA, QUIET, Watch
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


# --- drift


def watched(rates, seed=3):
    """Serve 0.3 for labels of such rates; return the edges with where they came."""
    rng, watch, edges = random.Random(seed), Watch(), []
    for number, rate in enumerate(rates):
        label = float(rng.random() < rate)
        edge = watch.update(-math.log(0.3 if label else 0.7), label)
        if edge is not None:
            edges.append((number, edge))
    return watch, edges


def test_what_stays_as_it_is_is_no_drift():
    assert watched([0.3] * 15_000)[1] == []


def test_a_change_is_told_once_when_it_begins_and_once_when_it_is_the_usual():
    _, edges = watched([0.3] * 4_000 + [0.6] * 8_000)
    [(began, opened), (ended, closed)] = edges
    assert 4_000 < began < 4_600
    assert (opened.number, opened.opened, closed.opened) == (1, True, False)
    assert opened.shift.before == pytest.approx(0.3, abs=0.05)
    assert closed.outcome == "settled"
    assert ended - began >= QUIET


def test_what_gets_back_to_what_it_was_has_recovered():
    _, edges = watched([0.3] * 6_000 + [0.7] * 500 + [0.3] * 3_000)
    assert [edge.outcome for _, edge in edges][:2] == [None, "recovered"]


def test_portions_that_a_window_forgets_are_one_change():
    watch = Watch()
    rng = random.Random(1)
    for number in range(3_000 + CALM):
        watch.update(0.6, float(rng.random() < (0.3 if number < 3_000 else 0.6)))
    assert watch.number == 1


def test_a_watch_goes_on_from_its_state_bit_for_bit():
    watch, _ = watched([0.3] * 2_000 + [0.6] * 300)
    again = Watch.from_state(json.loads(json.dumps(watch.to_state())))
    rng = random.Random(9)
    for _ in range(1_500):
        label = float(rng.random() < 0.6)
        loss_now = -math.log(0.3 if label else 0.7)
        assert watch.update(loss_now, label) == again.update(loss_now, label)
    assert watch.to_state() == again.to_state()


def test_windows_of_another_river_begin_anew_and_the_episode_stays():
    watch, _ = watched([0.3] * 2_000 + [0.6] * 300)
    state = watch.to_state() | {"river": "0.1"}
    again = Watch.from_state(state)
    assert (again.number, again.open) == (watch.number, watch.open)
    assert again.means()["base_rate_width"] == 0


def test_rivers_window_is_still_what_we_keep_of_it():
    detector, rng = ADWIN(delta=DELTA), random.Random(2)
    for _ in range(700):
        detector.update(rng.random())
    state = detector._helper.__getstate__()
    other = ADWIN(delta=DELTA)
    other._helper.__setstate__(state)
    assert (other.width, other.estimation) == (detector.width, detector.estimation)
    assert len(state) < 4_000
