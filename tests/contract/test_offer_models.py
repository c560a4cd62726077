"""One suite for the offer model: what the stream takes for granted about it.

The binary models' is in `test_binary_models.py`.
"""

import json
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.online.offers import BIAS_VARIANCE, OfferModel
from models.online.offers import SPREAD as OFFER_SPREAD
from models.online.scaling import LIMIT, MOST


class Offers:
    """The offer model: two arms."""

    make = OfferModel

    @staticmethod
    def learn(model, x, y):
        model.learn_one(x, "a" if x.get("visits", 0) > 2 else "b", y)

    @staticmethod
    def predict(model, x):
        return model.predict_one(x, "a")


@pytest.fixture(params=[Offers])
def kind(request):
    return request.param


def examples(count, seed=7):
    rng = random.Random(seed)
    for _ in range(count):
        x = {
            "silence": rng.random() * 3,
            "visits": rng.random() * 4,
            "prior_logit": rng.gauss(0, 1),
        }
        if rng.random() < 0.2:
            x["nps"] = rng.random()
        yield x, float(rng.random() < 1 / (1 + math.exp(1.5 - 2 * x["silence"])))


def trained(kind, count=300):
    model = kind.make()
    for x, y in examples(count):
        kind.learn(model, x, y)
    return model


def finite(answer):
    return all(math.isfinite(part) for part in (answer if isinstance(answer, tuple) else (answer,)))


def test_it_predicts_untrained_and_with_nothing_known(kind):
    assert finite(kind.predict(kind.make(), {}))
    assert finite(kind.predict(trained(kind), {}))


def test_it_leaves_the_features_alone(kind):
    model, x = kind.make(), {"silence": 1.0, "bad": float("nan")}
    before = repr(x)
    kind.predict(model, x)
    kind.learn(model, x, 1.0)
    assert repr(x) == before


def test_predicting_changes_nothing(kind):
    model = trained(kind)
    before = json.dumps(model.to_state())
    for x, _ in examples(50, seed=2):
        kind.predict(model, {**x, "never seen": 3.0})
    assert json.dumps(model.to_state()) == before


def test_a_restored_snapshot_goes_on_bit_for_bit(kind):
    whole, half = trained(kind, 200), trained(kind, 200)
    half = kind.make.from_state(json.loads(json.dumps(half.to_state())))
    for x, y in examples(300, seed=3):
        assert kind.predict(half, x) == kind.predict(whole, x)
        kind.learn(whole, x, y)
        kind.learn(half, x, y)
    assert json.dumps(half.to_state()) == json.dumps(whole.to_state())


def test_features_may_come_and_go(kind):
    model = trained(kind)
    kind.learn(model, {"new": 1.0}, 1.0)
    kind.learn(model, {}, 0.0)
    kind.learn(model, {"silence": 2.0}, 1.0)
    assert finite(kind.predict(model, {"new": 2.0, "visits": 1.0}))


@pytest.mark.parametrize(
    "hostile",
    [float("nan"), float("inf"), -float("inf"), 1e308, -1e308, "text", None, True, 10**30],
    ids=str,
)
def test_a_hostile_value_neither_crashes_nor_poisons(kind, hostile):
    clean, hurt = trained(kind, 600), trained(kind, 600)
    for _ in range(3):
        kind.predict(hurt, {"silence": hostile})
        kind.learn(hurt, {"silence": hostile, "visits": 1.0}, 1.0)
    for x, y in examples(600, seed=4):
        kind.learn(clean, x, y)
        kind.learn(hurt, x, y)
    for x, _ in examples(50, seed=5):
        assert finite(kind.predict(hurt, x))


def test_endless_new_names_do_not_make_a_model_grow_for_ever(kind):
    model = trained(kind)
    for number in range(3_000):
        kind.learn(model, {f"made up {number}": 1.0, "silence": 1.0}, float(number % 2))
    size = len(json.dumps(model.to_state()))
    for number in range(3_000, 6_000):
        kind.learn(model, {f"made up {number}": 1.0, "silence": 1.0}, float(number % 2))
    assert len(json.dumps(model.to_state())) < 1.1 * size
    assert len(model.to_state()["scaler"]["counts"]) == MOST


def test_the_same_examples_give_the_same_weights(kind):
    assert json.dumps(trained(kind).to_state()) == json.dumps(trained(kind).to_state())


def test_the_version_counts_the_examples(kind):
    assert kind.make().learnt == 0
    assert trained(kind, 25).learnt == 25


def test_it_learns_what_there_is_to_learn(kind):
    model = trained(kind, 3_000)
    low, high = kind.predict(model, {"silence": 0.1}), kind.predict(model, {"silence": 2.9})
    if isinstance(low, tuple):
        low, high = low[0], high[0]
    assert high > low + 0.3


values = st.one_of(
    st.floats(-5, 5), st.floats(), st.integers(), st.booleans(), st.sampled_from([None, "text"])
)
NAMES = ("silence", "visits", "prior_logit", "nps", "never seen")


TRAINED = {}


def plain_logit(model, x, arm):
    """An arm's mean and variance, written as the formula says."""
    state = model.to_state()
    means, variances = state["scaler"]["means"], state["scaler"]["vars"]
    weights = state["arms"].get(arm)
    mean, variance = state["level"][0], 1.0 / state["level"][1]
    if weights is None:
        return mean, variance + BIAS_VARIANCE
    context = {"bias": 1.0}
    for name, value in x.items():
        usable = isinstance(value, int | float) and math.isfinite(value)
        if usable and variances.get(name, 0.0) > 1e-12:
            value = max(-LIMIT, min(LIMIT, float(value)))
            distance = (value - means[name]) / math.sqrt(variances[name])
            context[name] = max(-OFFER_SPREAD, min(OFFER_SPREAD, distance))
    for name, value in context.items():
        if name in weights:
            mean += weights[name][0] * value
            variance += value * value / weights[name][1]
    return mean, variance


@pytest.mark.parametrize("count", [0, 1, 300])
@given(st.dictionaries(st.sampled_from(NAMES), values))
def test_arms_are_the_plain_formula_whatever_the_values(count, x):
    model = TRAINED.setdefault(("offers", count), trained(Offers, count))
    means, variances = model.predict_arms(x, ["a", "b", "new"])
    for arm, mean, variance in zip(("a", "b", "new"), means, variances, strict=True):
        assert (mean, variance) == pytest.approx(plain_logit(model, x, arm), abs=1e-12)


def test_an_arm_learns_without_moving_another_one():
    model = trained(Offers)
    x = {"silence": 1.0, "visits": 1.0}
    before = model.predict_arms(x, ["a", "b"])
    for _ in range(20):
        model.learn_one(x, "b", 1.0)
        model.predict_arms(x, ["a", "b"])
    (a, b), _ = model.predict_arms(x, ["a", "b"])
    assert b - before[0][1] > 2 * (a - before[0][0])  # what a gains is the level they share


def test_endless_new_arms_do_not_make_the_offers_grow_for_ever():
    model = OfferModel()
    for number in range(2 * MOST):
        model.learn_one({"silence": 1.0}, f"made up {number}", 1.0)
    assert len(model.to_state()["arms"]) == MOST
    assert model.learnt == 2 * MOST
