"""Drift: a change is told once, when it matters; what a model learns by itself is none."""

import json
import math
import random

import pytest
from river.drift import ADWIN

from models.online.cards import card
from models.online.drift import Watch
from models.online.learner import AFFINITY, OFFERS, Lesson, Order, resume
from models.online.learning_affinity import EVERY
from models.online.measures import LOSS, RATE
from models.online.snapshots import decode, encode
from models.online.window import DELTA
from models.records import NO_FEATURES, Command, Example, Outcome
from models.wording import sentence


def resumed(state):
    watch = Watch(LOSS, RATE)
    watch.resume(state)
    return watch


def watched(rates, seed=3):
    """Serve 0.3 for labels of such rates; return the edges with where they came."""
    rng, watch, edges = random.Random(seed), Watch(LOSS, RATE), []
    for number, rate in enumerate(rates):
        label = float(rng.random() < rate)
        edge = watch.update((-math.log(0.3 if label else 0.7), label))
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
    assert ended - began >= RATE.quiet


def test_what_gets_back_to_what_it_was_has_recovered():
    _, edges = watched([0.3] * 6_000 + [0.7] * 500 + [0.3] * 3_000)
    assert [edge.outcome for _, edge in edges][:2] == [None, "recovered"]


def test_portions_that_a_window_forgets_are_one_change():
    watch = Watch(LOSS, RATE)
    rng = random.Random(1)
    for number in range(3_000 + RATE.calm):
        watch.update((0.6, float(rng.random() < (0.3 if number < 3_000 else 0.6))))
    assert watch.number == 1


def test_a_watch_goes_on_from_its_state_bit_for_bit():
    watch, _ = watched([0.3] * 2_000 + [0.6] * 300)
    again = resumed(json.loads(json.dumps(watch.to_state())))
    rng = random.Random(9)
    for _ in range(1_500):
        label = float(rng.random() < 0.6)
        loss_now = -math.log(0.3 if label else 0.7)
        assert watch.update((loss_now, label)) == again.update((loss_now, label))
    assert watch.to_state() == again.to_state()


def test_windows_of_another_river_begin_anew_and_the_episode_stays():
    watch, _ = watched([0.3] * 2_000 + [0.6] * 300)
    state = watch.to_state() | {"river": "0.1"}
    again = resumed(state)
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


def test_a_state_from_before_predictions_were_watched_is_gone_on_with():
    watch, _ = watched([0.3] * 700)
    state = watch.to_state()
    del state["predicted"]
    assert resumed(state).to_state() == watch.to_state()


# --- of offers: rewards against what was predicted


def lesson(model, offset, label, x, arm=None):
    example = Example(
        example_id=f"{model}:{offset}", customer_id="c", model=model, model_version=0,
        at_ms=offset, label_ms=offset + 1, features=NO_FEATURES, label=label, probability=0.5,
        arm=arm, outcome=Outcome(decision_id=f"d{offset}"),
    )  # fmt: skip
    return Lesson(offset, example, x, offset + 2)


def offered(rates, seed=5):
    """Yield outcomes of two arms, the second converting twice as often as the first."""
    rng = random.Random(seed)
    for offset, rate in enumerate(rates):
        twice, x = offset % 2, {"visits": rng.gauss(0, 1)}
        label = float(rng.random() < rate * (1 + twice))
        yield lesson(OFFERS, offset, label, x, ("a/app", "b/app")[twice])


def alerted(learner, lessons):
    learner.learn(lessons)
    told = learner.told()
    return [(one.status, one.outcome, one.cause) for one in told.alerts], told


def test_offers_that_convert_as_predicted_are_no_drift_however_far_the_first_belief_was_off():
    assert alerted(resume(OFFERS), offered([0.02] * 6_000))[0] == []


def test_offers_that_convert_less_than_predicted_are_told_with_both():
    learner = resume(OFFERS)
    edges, told = alerted(learner, offered([0.2] * 4_000 + [0.08] * 2_500))
    status, outcome, cause = edges[0]
    assert (status, outcome) == ("opened", None)
    assert 4_000 < int(cause.split(":")[1]) < 5_500
    alert = told.alerts[0]
    assert (alert.customer_id, alert.episode_id) == ("model:offers", "model_drift:model:offers:1")
    [reason] = alert.reasons
    assert (reason.feature, reason.value < reason.usual) == ("reward", True)
    assert 0.1 < reason.value < 0.2 < reason.usual < 0.32
    assert sentence(reason, "en").startswith("converted 1")
    [opened] = [one for one in learner.progress.history if one.kind == "drift_opened"]
    assert "predicted was" in opened.reason
    last = told.reports[-1]
    assert last.drift.keys() == {"reward", "reward_width", "reward_predicted"}
    assert any(one.drifting for one in told.reports)


def test_a_policy_that_earns_more_as_it_learns_does_not_drift():
    # From one arm to the other, which converts twice as often: more rewards, and all predicted.
    both = list(offered([0.15] * 9_000))
    first, second = ([one for one in both if one.example.arm == arm] for arm in ("a/app", "b/app"))
    known, chosen = both[:600], [*first[300:3_000], *second[300:4_000]]
    again = [
        Lesson(offset, one.example, one.features, one.received_ms)
        for offset, one in enumerate(known + chosen)
    ]
    assert alerted(resume(OFFERS), again)[0] == []


def test_a_frozen_offer_model_is_watched_too():
    learner = resume(OFFERS)
    learner.learn(list(offered([0.05] * 2_000)))
    learner.learn([order(2_000, OFFERS, "freeze")])
    later = [
        Lesson(one.offset + 2_001, one.example, one.features, one.received_ms)
        for one in offered([0.05] * 1_000 + [0.2] * 1_500)
    ]
    edges, _ = alerted(learner, later)
    assert [status for status, *_ in edges] == ["opened"]  # and stays: nothing is learnt


def order(offset, model, action):
    said = {"command_id": f"k{offset}", "model": model, "at_ms": 7, "by": "kim", "reason": "why"}
    return Order(offset, Command(action=action, **said))


# --- of affinity: how often the guess is right


def baskets(counts, seed=2):
    """Yield baskets of two products that go together, by `True`, or of two that do not."""
    rng = random.Random(seed)
    for offset, together in enumerate(counts):
        first = rng.randrange(40)
        other = first if together else rng.randrange(40)
        yield lesson(AFFINITY, offset, 1.0, {f"a{first}": 1.0, f"b{other}": 1.0})


def test_guesses_that_get_worse_are_told_and_that_they_get_better_is_not():
    steady, _ = alerted(resume(AFFINITY), baskets([False] * 8_000 + [True] * 8_000))
    assert steady == []
    learner = resume(AFFINITY)
    edges, told = alerted(learner, baskets([True] * 8_000 + [False] * 8_000))
    status, _, cause = edges[0]
    assert (status, [one for one, *_ in edges].count("opened")) == ("opened", 1)
    assert 8_000 < int(cause.split(":")[1]) < 8_000 + 120 * EVERY
    [reason] = told.alerts[0].reasons
    assert (reason.feature, reason.value < reason.usual) == ("hit_rate", True)
    assert sentence(reason, "en").startswith("guessed right")
    shown = card(told.reports[-1])
    assert "| hit rate: the product was among 5 guesses | 0." in shown
    assert "| hit rate of the 5 best sellers | 0." in shown
    assert "Of one basket in 20" in shown
    assert "over the newest 1,000" not in shown.lower()


@pytest.mark.parametrize("model", [OFFERS, AFFINITY])
def test_watches_go_on_from_a_snapshot_and_begin_where_it_has_none(model):
    made = {OFFERS: offered([0.1] * 1_500), AFFINITY: baskets([True] * 1_500)}
    lessons, key = list(made[model]), b"key"
    whole, half = resume(model), resume(model)
    whole.learn(lessons)
    half.learn(lessons[:700])
    before = decode(encode(half.snapshot(), key), key)
    again = resume(model, before)
    again.learn(lessons)
    assert again.watch.to_state() == whole.watch.to_state()
    del before.evaluation["watch"]
    anew = resume(model, before)
    anew.learn(lessons)
    assert min(anew.watch.means().values()) > 0
    assert anew.snapshot().state == whole.snapshot().state
