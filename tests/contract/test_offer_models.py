"""One suite for the offer model: what the stream takes for granted about it.

The binary models' is in `test_binary_models.py`.
"""

import json
import math
import os
import random
import subprocess
import sys
from base64 import b64decode

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.online.offers import (
    ARM_VARIANCE,
    ARMS,
    BELIEF,
    CHANNEL_VARIANCE,
    CHANNEL_WEIGHT_VARIANCE,
    CHANNELS,
    OFFER_VARIANCE,
    OFFERS,
    START,
    TERMS,
    WEIGHT_VARIANCE,
    OfferModel,
)
from models.online.scaling import MOST
from models.online.thompson import propensities

ARM_NAMES = ("a/email", "a/app", "b/email", "none")


def contexts(count, seed=7):
    rng = random.Random(seed)
    for _ in range(count):
        x = {"silence": rng.random() * 3, "visits": rng.random() * 4, "prior": rng.gauss(0, 1)}
        if rng.random() < 0.2:
            x["nps"] = rng.random()
        yield x, rng


def chance_of(arm, x):
    """What is there to learn: a likes silence, b visits, e-mail helps."""
    likes = {"a": x["silence"] - 1.5, "b": x["visits"] / 2 - 1}.get(arm[0], -1.0)
    return 1 / (1 + math.exp(1.0 - 1.5 * likes - (0.5 if arm.endswith("email") else 0.0)))


def taught(count=300, half_life=0.0, seed=7):
    model = OfferModel()
    for n, (x, rng) in enumerate(contexts(count, seed)):
        arm = ARM_NAMES[n % 4]
        converted = float(rng.random() < chance_of(arm, x))
        model.learn_one(x, arm, converted, 10.0 * rng.random() if converted else None, half_life)
    return model


def state_of(model):
    return json.dumps(model.to_state())


def finite(model, x, arms=ARM_NAMES):
    means, variances = model.predict_arms(x, arms)
    return all(map(math.isfinite, [*means, *variances])) and min(variances) > 0


def test_it_predicts_untrained_and_with_nothing_known():
    assert finite(OfferModel(), {})
    assert finite(taught(), {})
    assert finite(taught(), {"never seen": 1.0}, ["never/seen"])


def test_it_leaves_the_features_alone():
    model, x = OfferModel(), {"silence": 1.0, "bad": float("nan")}
    before = repr(x)
    model.predict_arms(x, ARM_NAMES)
    model.learn_one(x, "a/email", 1.0)
    assert repr(x) == before


def test_predicting_changes_nothing():
    model = taught()
    before = state_of(model)
    for x, _ in contexts(50, seed=2):
        model.predict_arms({**x, "never seen": 3.0}, [*ARM_NAMES, "new/web"])
        model.margin("new", 5.0)
    assert state_of(model) == before


@pytest.mark.parametrize("half_life", [0.0, 100.0])
def test_a_restored_snapshot_goes_on_bit_for_bit(half_life):
    whole = taught(200, half_life)
    whole.take("a", 3)
    half = OfferModel.from_state(json.loads(state_of(whole)))
    assert state_of(half) == state_of(whole)
    for n, (x, rng) in enumerate(contexts(300, seed=3)):
        for got, expected in zip(
            half.predict_arms(x, ARM_NAMES), whole.predict_arms(x, ARM_NAMES), strict=True
        ):
            assert got == expected
        arm, converted = f"{'abcd'[n % 4]}/{('app', 'web', '')[n % 3]}", float(rng.random() < 0.3)
        for model in (whole, half):
            model.learn_one({**x, f"feature {n % 30}": 1.0}, arm, converted, 2.0, half_life)
    assert state_of(half) == state_of(whole)


def test_the_same_outcomes_give_the_same_weights_in_every_process():
    code = "from tests.contract.test_offer_models import *; print(state_of(taught()))"
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert told == {state_of(taught())}


def test_predicting_in_between_moves_no_weight():
    asked = OfferModel()
    for n, (x, rng) in enumerate(contexts(300)):
        asked.predict_arms(x, ARM_NAMES[: 1 + n % 4])
        arm = ARM_NAMES[n % 4]
        converted = float(rng.random() < chance_of(arm, x))
        asked.learn_one(x, arm, converted, 10.0 * rng.random() if converted else None)
    assert state_of(asked) == state_of(taught())
    fresh = OfferModel.from_state(json.loads(state_of(asked)))
    for x, _ in contexts(20, seed=9):
        assert asked.predict_arms(x, ARM_NAMES) == fresh.predict_arms(x, ARM_NAMES)


def weights(model, kind, name):
    """Means and covariance of a name's weights, out of the state; a new name's are the prior's."""
    state = model.to_state()[kind]
    terms = 1 + min(TERMS, len(model.scaler.parts))
    level, weight = {
        "offers": (OFFER_VARIANCE, WEIGHT_VARIANCE),
        "channels": (CHANNEL_VARIANCE, CHANNEL_WEIGHT_VARIANCE),
    }[kind]
    means, covariance = np.zeros(terms), np.diag([level, *[weight] * (terms - 1)])
    if name in state["rows"]:
        known = state["terms"]
        found, doubts = (np.frombuffer(b64decode(one)) for one in state["rows"][name])
        means[:known] = found
        if kind == "offers":
            upper = np.triu_indices(known)
            covariance[:known, :known][upper] = covariance[:known, :known].T[upper] = doubts
        else:
            np.fill_diagonal(covariance[:known, :known], doubts)
    return means, covariance


def plain_logit(model, x, arm):
    """An arm's mean and variance, written as the formula says."""
    terms = np.array([1.0, *model.scaler.vector(x)])
    offer, _, channel = arm.partition("/")
    level, variance = model.arms.get(arm, (0.0, ARM_VARIANCE))
    means, covariance = weights(model, "offers", offer)
    mean = model.level[0] + level + means @ terms
    variance += terms @ covariance @ terms
    if channel:
        means, covariance = weights(model, "channels", channel)
        mean += means @ terms
        variance += terms @ covariance @ terms
    return mean, variance


def test_arms_are_the_plain_formula_before_and_after_each_outcome():
    model = taught(200)
    arms = [*ARM_NAMES, "a/web", "new/app"]
    for n, (x, rng) in enumerate(contexts(40, seed=6)):
        means, variances = model.predict_arms(x, arms)
        for arm, mean, variance in zip(arms, means, variances, strict=True):
            assert (mean, variance) == pytest.approx(plain_logit(model, x, arm), abs=1e-9)
        model.learn_one(x, arms[n % 5], float(rng.random() < 0.4), half_life=100.0)


def test_features_may_come_and_go():
    model = taught()
    model.learn_one({"new": 1.0}, "a/app", 1.0)
    model.learn_one({}, "b/email", 0.0)
    model.learn_one({"silence": 2.0}, "a/email", 1.0)
    assert finite(model, {"new": 2.0, "visits": 1.0})


@pytest.mark.parametrize(
    "hostile",
    [float("nan"), float("inf"), -float("inf"), 1e308, -1e308, "text", None, True, 10**30],
    ids=str,
)
def test_a_hostile_value_neither_crashes_nor_poisons(hostile):
    clean, hurt = taught(600), taught(600)
    for _ in range(3):
        hurt.predict_arms({"silence": hostile}, ARM_NAMES)
        hurt.learn_one({"silence": hostile, "visits": 1.0}, "a/email", 1.0)
    for x, rng in contexts(600, seed=4):
        arm = rng.choice(ARM_NAMES)
        converted = float(rng.random() < chance_of(arm, x))
        clean.learn_one(x, arm, converted)
        hurt.learn_one(x, arm, converted)
    for x, _ in contexts(50, seed=5):
        means, _ = clean.predict_arms(x, ARM_NAMES)
        assert finite(hurt, x)
        assert hurt.predict_arms(x, ARM_NAMES)[0] == pytest.approx(means, abs=0.35)


@pytest.mark.parametrize("reward", [float("nan"), float("inf"), -float("inf"), 1e308, -5.0])
def test_a_hostile_reward_neither_crashes_nor_poisons(reward):
    model = taught()
    for n in range(5):
        model.learn_one({"silence": 1.0}, "a/email", reward, reward, half_life=n)
    assert finite(model, {"silence": 1.0})
    assert math.isfinite(model.margin("a", 10.0))
    json.dumps(model.to_state(), allow_nan=False)


def test_endless_names_do_not_make_it_grow_for_ever():
    model = OfferModel()
    for number in range(400):
        model.learn_one({f"made up {number}": 1.0, "silence": number % 3}, "a/app", 1.0)
    size = len(state_of(model))
    for number in range(400, 1_200):
        model.learn_one({f"made up {number}": 1.0}, "a/app", float(number % 2), 1.0)
    assert len(state_of(model)) < 1.1 * size
    assert len(model.to_state()["scaler"]["counts"]) == MOST
    assert model.to_state()["offers"]["terms"] == 1 + TERMS


def test_endless_arms_do_not_make_it_grow_for_ever_and_the_newest_are_kept():
    model = OfferModel()
    for number in range(2 * ARMS):
        model.learn_one({"silence": 1.0}, f"offer-{number}/channel-{number}", 1.0, 3.0)
        model.predict_arms({"silence": 1.0}, [f"asked-{number}/web"])
        model.take(f"offer-{number}", 1)
    state = model.to_state()
    kept = {name: len(state[name]) for name in ("arms", "margins", "taken")}
    kept |= {name: len(state[name]["rows"]) for name in ("offers", "channels")}
    assert kept == {
        "arms": ARMS, "margins": OFFERS, "taken": ARMS, "offers": OFFERS, "channels": CHANNELS
    }  # fmt: skip
    assert model.learnt == 2 * ARMS
    newest = f"offer-{2 * ARMS - 1}/channel-{2 * ARMS - 1}"
    assert model.predict_one({}, newest)[0] > model.predict_one({}, "offer-0/channel-0")[0]
    assert len(state_of(model)) < 300_000


def test_who_is_least_lately_learnt_gives_way_and_leaves_nothing_behind():
    model = OfferModel()
    for number in range(OFFERS):
        for _ in range(20):
            model.learn_one({"silence": number % 3}, f"offer-{number}/app", 1.0)
    model.learn_one({}, "offer-0/app", 1.0)  # the oldest, but for this
    model.learn_one({}, "new/app", 0.0)
    kept = model.to_state()["offers"]["rows"]
    assert "offer-0" in kept
    assert "offer-1" not in kept
    means, covariance = weights(model, "offers", "new")
    assert means[0] < 0.0
    assert covariance[0, 0] > 0.8 * OFFER_VARIANCE


def test_a_new_offer_starts_where_all_are():
    model = taught(2_000)
    mean, variance = model.predict_one({"silence": 3.0}, "new/web")
    assert mean == model.level[0]
    assert variance > OFFER_VARIANCE + CHANNEL_VARIANCE + ARM_VARIANCE
    assert model.level[0] > START


def test_an_offer_helps_itself_in_other_channels_and_others_in_its_channel():
    model = OfferModel()
    for _ in range(60):
        model.learn_one({}, "good/email", 1.0)
        model.learn_one({}, "bad/sms", 0.0)
    logit = {
        arm: model.predict_one({}, arm)[0]
        for arm in ("good/email", "good/web", "new/email", "new/web", "new/sms", "bad/web")
    }
    assert logit["good/email"] > logit["good/web"] > logit["new/web"] > logit["bad/web"]
    assert logit["new/email"] > logit["new/web"] > logit["new/sms"]


def test_popularity_comes_before_affinity():
    """After a few outcomes the level has moved more than any weight; after many they differ."""
    few, many = taught(40), taught(4_000)

    def spread(model):
        near, far = {"silence": 0.2, "visits": 2.0}, {"silence": 2.8, "visits": 2.0}
        return model.predict_one(far, "a/app")[0] - model.predict_one(near, "a/app")[0]

    assert spread(many) > 2.5
    assert spread(few) < 0.6 * spread(many)


def test_it_learns_what_there_is_to_learn():
    model = taught(6_000)
    for x, _ in contexts(40, seed=8):
        means, variances = model.predict_arms(x, ARM_NAMES)
        expected = [math.log(p / (1 - p)) for p in (chance_of(arm, x) for arm in ARM_NAMES)]
        assert means == pytest.approx(expected, abs=0.9)
        assert max(variances) < 0.2


def test_doubt_shrinks_with_what_is_learnt_and_comes_back_as_it_fades():
    x = {"silence": 1.0}
    early, late = taught(40).predict_one(x, "a/app")[1], taught(4_000).predict_one(x, "a/app")[1]
    assert late < 0.2 * early
    assert taught(4_000, half_life=200).predict_one(x, "a/app")[1] > 2 * late


def test_doubt_never_exceeds_what_it_was_at_first():
    model = taught(300)
    for _ in range(3_000):
        model.learn_one({}, "b/email", 0.0, half_life=30)
    covariance = np.array([weights(model, "offers", name)[1] for name in ("a", "b", "none")])
    assert np.linalg.eigvalsh(covariance).min() > 0
    assert np.einsum("oii->oi", covariance).max(axis=0) == pytest.approx(
        [OFFER_VARIANCE, *[WEIGHT_VARIANCE] * 4], rel=0.01
    )


def test_it_follows_a_world_that_turns_round():
    model = OfferModel()
    for n in range(6_000):
        good, bad = ("a", "b") if n < 3_000 else ("b", "a")
        model.learn_one({}, good, float(n % 2), half_life=300)
        model.learn_one({}, bad, 0.0, half_life=300)
    assert model.predict_one({}, "b")[0] > model.predict_one({}, "a")[0] + 1.0


def test_a_margin_goes_from_the_stated_one_to_what_conversions_bring():
    model = OfferModel()
    assert model.margin("a", 10.0) == 10.0
    for _ in range(int(BELIEF)):
        model.learn_one({}, "a/app", 1.0, 30.0)
        model.learn_one({}, "a/app", 0.0, 99.0)  # what did not convert brought nothing
    assert model.margin("a", 10.0) == 20.0
    assert model.margin("b", 10.0) == 10.0


def test_taken_units_are_counted_and_given_back():
    model = OfferModel()
    model.take("a", 1)
    model.take("a", 1)
    model.take("b", -1)
    assert model.taken == {"a": 2}
    model.take("a", -1)
    model.take("a", -1)
    assert model.taken == {}


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-4, 1), st.floats(0.05, 1.5), st.floats(1, 30), st.floats(0, 2)),
        min_size=2,
        max_size=8,
    ),
    st.floats(0, 0.3),
)
def test_propensities_are_how_often_each_arm_is_best(arms, floor):
    """Against Monte Carlo: 20,000 draws of each arm's logit; 0.4 % of the error is the method's."""
    means, deviations, margins, costs = map(np.array, zip(*arms, strict=True))
    chances = propensities(*(one.tolist() for one in (means, deviations**2, margins, costs)), floor)
    assert math.fsum(chances) == pytest.approx(1.0, abs=1e-9)
    logits = np.random.default_rng(1).normal(means, deviations, (20_000, len(arms)))
    best = (margins / (1 + np.exp(-logits)) - costs).argmax(axis=1)
    drawn = np.bincount(best, minlength=len(arms)) / len(best)
    expected = floor / len(arms) + (1 - floor) * drawn
    assert chances == pytest.approx(expected.tolist(), abs=0.02)
