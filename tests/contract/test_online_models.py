"""One suite for every online model: what the stream takes for granted about each."""

import json
import math
import random

import pytest

from models.online.churn import ChurnModel
from models.online.offers import OfferModel


class Churn:
    """The churn model, as the suite drives it."""

    make = ChurnModel

    @staticmethod
    def learn(model, x, y):
        model.learn_one(x, y)

    @staticmethod
    def predict(model, x):
        return model.predict_one(x)


class Offers:
    """The offer model: two arms."""

    make = OfferModel

    @staticmethod
    def learn(model, x, y):
        model.learn_one(x, "a" if x.get("visits", 0) > 2 else "b", y)

    @staticmethod
    def predict(model, x):
        return model.predict_one(x, "a")


@pytest.fixture(params=[Churn, Offers])
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
    usual = [kind.predict(clean, x) for x, _ in examples(50, seed=5)]
    after = [kind.predict(hurt, x) for x, _ in examples(50, seed=5)]
    if kind is Churn:
        assert max(abs(a - b) for a, b in zip(usual, after, strict=True)) < 0.25


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
