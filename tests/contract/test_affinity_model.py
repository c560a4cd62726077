"""The laws of online models, for the one of what is bought together."""

import json
import os
import random
import subprocess
import sys
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.customer import Customer
from models.events import Line, OrderPlaced
from models.judge import Judge
from models.online import affinity
from models.online.affinity import (
    BASKET,
    LONGEST,
    ONE,
    PAIRS,
    PRODUCTS,
    AffinityModel,
    basket,
)
from models.online.learner import AFFINITY, Lesson, resume
from models.profile import Profile, evolve
from models.react import Position, react
from models.records import unpack
from models.traits.baskets import examples
from tests.support.histories import event


def baskets(number, seed=3):
    """Tea goes with cups, and bread with butter; the rest is chance."""
    chance = random.Random(seed)
    for _ in range(number):
        made = {f"p{chance.randrange(30)}": 1.0}
        if chance.random() < 0.3:
            made |= {"tea": 1.0, "cup": 1.0} if chance.random() < 0.8 else {"tea": 1.0}
        if chance.random() < 0.2:
            made |= {"bread": 1.0, "butter": float(chance.random() < 0.5)}
        yield made


def trained(number=600):
    model = AffinityModel()
    for x in baskets(number):
        model.learn_one(x)
    return model


def test_untrained_it_tells_nothing():
    assert AffinityModel().goes_with(["tea"]) == []
    assert AffinityModel().popular(["tea"]) == []


def test_it_tells_what_goes_with_what_the_customer_has_and_why():
    told = trained().goes_with(["tea", "p1"])[0]
    assert (told.product, told.because) == ("cup", "tea")
    assert told.confidence == pytest.approx(0.8, abs=0.08)
    assert told.lift > 2
    assert "tea" not in [one.product for one in trained().goes_with(["tea"])]
    have = ["tea", "cup", "bread", "butter"]
    assert all(one.product not in have for one in trained().goes_with(have, 50))
    assert trained().goes_with(["nobody has it"]) == []


def test_all_that_is_owned_speaks_for_a_product():
    model = AffinityModel()
    for _ in range(10):
        model.learn_one({"flour": 1.0, "yeast": 1.0})
        model.learn_one({"salt": 1.0, "yeast": 1.0})
        model.learn_one({"flour": 1.0, "milk": 1.0})
        model.learn_one({"flour": 1.0, "milk": 1.0})
    for number in range(300):
        model.learn_one({f"n{number % 7}": 1.0})
    assert [one.product for one in model.goes_with(["flour"])] == ["milk", "yeast"]
    assert [one.product for one in model.goes_with(["flour", "salt"])] == ["yeast", "milk"]


def test_what_was_seen_together_once_is_not_told():
    model = AffinityModel()
    for _ in range(2):
        model.learn_one({"a": 1.0, "b": 1.0})
    for _ in range(50):
        model.learn_one({"c": 1.0, "d": 1.0})
    assert model.goes_with(["a"]) == []


def test_what_was_had_before_is_paired_with_what_is_bought_not_with_itself():
    model = AffinityModel()
    model.learn_one({"new": 1.0, "old": 0.0, "older": 0.0})
    assert set(model.pairs) == {("new", "old"), ("new", "older")}
    model.learn_one({"old": 0.0, "older": 0.0})
    assert (model.learnt, model.baskets) == (2, ONE)


def test_learning_leaves_the_example_as_it_was():
    x = {"b": 1.0, "a": 0.0}
    AffinityModel().learn_one(x)
    assert list(x.items()) == [("b", 1.0), ("a", 0.0)]


def test_a_snapshot_goes_on_bit_for_bit():
    model = trained()
    copy = AffinityModel.from_state(json.loads(json.dumps(model.to_state())))
    for x in baskets(2_000, seed=9):
        model.learn_one(x)
        copy.learn_one(x)
    assert json.dumps(copy.to_state()) == json.dumps(model.to_state())
    assert copy.goes_with(["tea"]) == model.goes_with(["tea"])


def test_the_order_of_names_within_a_basket_changes_nothing():
    one, other = AffinityModel(), AffinityModel()
    one.learn_one({"a": 1.0, "b": 1.0, "c": 0.0})
    other.learn_one({"c": 0.0, "b": 1.0, "a": 1.0})
    assert one.to_state() == other.to_state()


def test_weights_do_not_depend_on_pythons_hash_seed():
    code = (
        "from tests.contract.test_affinity_model import trained; import json;"
        "print(json.dumps(trained(900).to_state()))"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1


def test_endless_products_neither_make_it_grow_nor_drive_out_what_is_frequent():
    model, names = trained(), count()
    for _ in range(5_000):
        model.learn_one({f"new{next(names)}": 1.0 for _ in range(3)})
        model.learn_one({"tea": 1.0, "cup": 1.0})
    assert len(model.products) <= PRODUCTS * 1.5
    assert len(model.pairs) <= PAIRS * 1.5
    assert all(one in model.products and two in model.products for one, two in model.pairs)
    assert len(json.dumps(model.to_state())) < 250_000
    assert model.goes_with(["tea"], 1)[0].product == "cup"


def test_old_baskets_fade(monkeypatch):
    monkeypatch.setattr(affinity, "HALF_LIFE", 100)
    model = AffinityModel()
    for _ in range(100):
        model.learn_one({"fax": 1.0, "paper": 1.0})
    assert model.pairs == {("fax", "paper"): 100 * ONE // 2}
    for _ in range(1_000):
        model.learn_one({"ink": 1.0})
    assert "fax" not in model.products
    assert model.pairs == {}
    assert model.products["ink"] <= model.baskets


hostile = st.dictionaries(
    st.text(max_size=300) | st.sampled_from(["tea", "cup"]),
    st.floats(allow_nan=True, allow_infinity=True),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(hostile, max_size=20))
def test_hostile_values_neither_crash_nor_poison_it(xs):
    model = trained(300)
    for x in xs:
        model.learn_one(x)
    again = AffinityModel.from_state(json.loads(json.dumps(model.to_state())))
    assert again.to_state() == model.to_state()
    for one in model.goes_with(["tea", "cup"], 50):
        assert 0.0 < one.confidence <= 1.0
        assert one.lift > 1.0
    assert max(map(len, model.products)) <= LONGEST


def test_a_basket_is_bounded_and_tells_what_was_bought_from_what_was_had():
    assert basket([], ["a"]) is None
    assert basket(["a", "a"], ["a"]) is None
    assert unpack(basket(["b", "b"], ["a"])) == {"b": 1.0, "a": 0.0}
    assert len(unpack(basket(map(str, range(99)), ["x"]))) == BASKET
    assert unpack(basket(["b"], [str(n) for n in range(99)])).keys() >= {"b", "0"}


def test_an_order_is_an_example_with_what_the_customer_had():
    first = event(OrderPlaced, lines=(Line(sku="tea"),))
    before = evolve(Profile(), first)
    second = event(OrderPlaced, id="e2", lines=(Line(sku="cup"),))
    assert examples("c_1", Profile(), first, 1) == []
    [made] = examples("c_1", before, second, 5)
    assert (made.example_id, made.model, made.at_ms) == ("affinity:c_1:e2", AFFINITY, 5)
    assert unpack(made.features) == {"cup": 1.0, "tea": 0.0}


def test_the_fold_sends_each_basket_once_and_a_mute_one_none():
    lines = (Line(sku="tea"), Line(sku="cup"))
    order = event(OrderPlaced, lines=lines).model_copy(
        update={"customer_id": "c", "origin": "touchpoints/0", "origin_offset": 4}
    )
    at = Position("events", 0, 7)
    first = react(Customer(customer_id="c"), order, at, Judge.untrained())
    assert [one.example_id for one in first.examples] == ["affinity:c:e1"]
    for again in (at, Position("events", 0, 8)):
        assert react(first.customer, order, again, Judge.untrained()).examples == []
    resent = order.model_copy(update={"origin_offset": 9})
    assert react(first.customer, resent, Position("events", 0, 9), Judge.untrained()).examples == []
    assert react(Customer(customer_id="c"), order, at, Judge.mute()).examples == []


def test_the_learner_counts_guesses_beside_best_sellers_and_goes_on_from_its_snapshot():
    [order] = examples("c", Profile(), event(OrderPlaced, lines=(Line(sku="a"), Line(sku="b"))), 1)
    lessons = [Lesson(number, order, x, 0) for number, x in enumerate(baskets(1_500))]
    whole = resume(AFFINITY)
    whole.learn(lessons)
    half = resume(AFFINITY)
    half.learn(lessons[:700])
    gone_on = resume(AFFINITY, half.snapshot())
    gone_on.learn(lessons)
    assert gone_on.snapshot() == whole.snapshot()
    figures = whole.figures()["served"].metrics
    assert figures["examples"] == 1_500
    assert figures["hit_rate"] > 0.5
    assert 0 < figures["hit_rate_popular"] < 1
