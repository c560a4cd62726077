"""The offers' learner: what it counts, learns and keeps, whatever is commanded."""

import json

from models.online.learner import OFFERS, Lesson, Order, resume
from models.online.snapshots import decode, encode
from models.records import NO_FEATURES, Command, Example, Outcome, Reserved

KEY = b"key"


def outcome(n, arm="a/app", label=1.0, margin=30.0, cost=1.0, half_life=0.0):
    said = Outcome(decision_id=f"d{n}", margin=margin, cost=cost, half_life=half_life)
    example = Example(
        example_id=f"offers:d{n}", customer_id="c", model=OFFERS, model_version=0, at_ms=n,
        label_ms=n + 1, features=NO_FEATURES, label=label, probability=0.5, arm=arm, outcome=said,
    )  # fmt: skip
    return Lesson(n, example, {})


def word(n, units):
    said = Reserved(
        reserved_id=f"r{n}", customer_id="c", model=OFFERS, offer="a", units=units, at_ms=n
    )
    return Order(n, said)


def command(n, action):
    return Order(
        n, Command(command_id=f"k{n}", model=OFFERS, action=action, at_ms=n, by="ana", reason="try")
    )


def after(*lessons, before=None):
    learner = resume(OFFERS, before)
    learner.learn(lessons)
    return learner


def test_it_tells_what_each_arm_converted_and_earned():
    learner = after(outcome(0), outcome(1, label=0.0, margin=0.0), outcome(2, "none", cost=0.0))
    figures = {name: one.metrics for name, one in learner.figures().items()}
    assert figures["a/app"] == {"examples": 2.0, "reward": 0.5, "earned": 14.0}
    assert figures["none"] == {"examples": 1.0, "reward": 1.0, "earned": 30.0}
    assert figures["served"] == {"examples": 3.0, "reward": 2 / 3, "earned": 58 / 3}
    assert after().figures()["served"].metrics == {"examples": 0.0}


def test_it_learns_margins_of_what_converted():
    learner = after(*(outcome(n) for n in range(10)), outcome(10, label=0.0, margin=99.0))
    assert learner.offers.margin("a", 10.0) == 20.0


def test_it_forgets_as_fast_as_the_examples_say():
    kept, forgot = (
        after(*(outcome(n, half_life=half_life) for n in range(640))) for half_life in (0.0, 100.0)
    )
    assert forgot.offers.predict_one({}, "a/app")[1] > 2 * kept.offers.predict_one({}, "a/app")[1]


def test_reserved_units_are_counted_whatever_becomes_of_the_weights():
    learner = after(word(0, 1), word(1, 1), command(2, "freeze"), word(3, 1), outcome(4))
    assert (learner.offers.taken, learner.offers.learnt) == ({"a": 3}, 0)
    learner.learn([command(5, "unfreeze"), outcome(6), command(7, "reset"), word(8, -1)])
    assert (learner.offers.taken, learner.offers.learnt) == ({"a": 2}, 0)
    assert learner.snapshot().version >= 1


def test_a_resumed_learner_goes_on_as_if_it_had_never_stopped():
    first = [word(0, 1), *(outcome(n, f"{'ab'[n % 2]}/app") for n in range(1, 90)), word(90, 1)]
    more = [outcome(n, half_life=50.0) for n in range(91, 200)] + [word(200, 1)]
    whole = after(*first, *more)
    before = decode(encode(after(*first).snapshot(), KEY), KEY)
    resumed = after(*first, *more, before=before)  # what it took already it passes over
    assert encode(resumed.snapshot(), KEY) == encode(whole.snapshot(), KEY)
    served = json.loads(bytes(whole.snapshot().served))
    assert served["taken"] == {"a": 3}
