"""Laws of judging, whatever happens to a customer and in whatever rhythm."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from models.alerts import RULE
from models.catalogue import Catalogue
from models.customer import Customer
from models.customer import decode as read_customer
from models.customer import encode as write_customer
from models.judge import Judge
from models.judgement import judged, note, wakes
from models.labels import MAX_PENDING
from models.online.thompson import Arm, propensities
from models.rhythm import DAY_MS

T0 = 1_780_000_000_000
OFFER = {"id": "a", "name": {"en": "a", "ko": "a"}, "channels": ["app"], "value": 5}
JUDGE = Judge.untrained(Catalogue.model_validate({"offers": [OFFER], "risk": {"min_visits": 1}}))
KINDS = st.sampled_from(["order_placed", "page_viewed", "message_sent", "offer_accepted"])
steps = st.lists(st.tuples(st.floats(0, 120), KINDS), max_size=12)
arms = st.lists(
    st.tuples(
        st.floats(-8, 8), st.floats(1e-4, 4), st.just(0.0) | st.floats(0.01, 100), st.floats(0, 10)
    ),
    min_size=1,
    max_size=7,
)


def live(history):
    """Yield every judgement of a history: (gap in days, kind), silence at its end."""
    customer, now = Customer(customer_id="c_1"), T0
    for number, (gap, kind) in enumerate([*history, (4_000.0, "")]):
        now += int(gap * DAY_MS)
        while (due := min(wakes(customer, JUDGE).values(), default=now + 1)) <= now:
            made = judged(customer, due, due, f"t{due}", JUDGE, touch=False)
            customer = made.customer
            yield made
        if kind:
            noted = note(customer, kind, now, "a")
            made = judged(noted, now, now, f"e{number}", JUDGE, touch=kind != "message_sent")
            customer = made.customer
            yield made


@settings(max_examples=60, deadline=None)
@given(steps)
def test_every_released_label_is_what_really_happened_at_the_horizon(history):
    contacts, now = [], T0
    for gap, kind in history:
        now += int(gap * DAY_MS)
        if kind != "message_sent":
            contacts.append(now)
    for made in live(history):
        for example in made.examples:
            assert made.customer.clock_ms >= example.label_ms
            if example.model == "churn":
                assert example.label_ms == example.at_ms + 30 * DAY_MS
                came = any(example.at_ms < at < example.label_ms for at in contacts)
                assert example.label == float(not came)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_alerts_alternate_and_never_repeat_an_id(history):
    alerts = [alert for made in live(history) for alert in made.alerts]
    assert [alert.status for alert in alerts] == ["opened", "closed"] * (len(alerts) // 2) + [
        "opened"
    ] * (len(alerts) % 2)
    assert len({alert.alert_id for alert in alerts}) == len(alerts)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_silence_comes_to_an_end_and_leaves_nothing_waiting(history):
    customer = Customer(customer_id="c_1")
    for made in live(history):
        customer = made.customer
        assert len(customer.pending) <= MAX_PENDING
        assert len(customer.awaited) <= 1
        assert read_customer(write_customer(customer)) == customer
    episode = customer.episodes.get(RULE)
    assert wakes(customer, JUDGE) == {}
    assert (customer.pending, customer.awaited) == ([], [])
    assert episode is None or episode.status == "closed"


@settings(max_examples=40, deadline=None)
@given(steps)
def test_a_history_judged_twice_is_judged_the_same(history):
    assert list(live(history)) == list(live(history))


@given(arms, st.floats(0, 0.5))
def test_propensities_sum_to_one_and_keep_the_floor(drawn, floor):
    chances = propensities([Arm(str(n), *arm) for n, arm in enumerate(drawn)], floor)
    assert math.isclose(math.fsum(chances.values()), 1.0, abs_tol=1e-9)
    assert min(chances.values()) >= floor / len(drawn) - 1e-12


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(0.05, 1)), min_size=2, max_size=4))
@settings(max_examples=30, deadline=None)
def test_propensities_are_those_of_sampling(drawn):
    import random

    field = [Arm(str(n), mean, var, 1.0, 0.0) for n, (mean, var) in enumerate(drawn)]
    rng, rounds = random.Random(5), 4_000
    won = dict.fromkeys((arm.id for arm in field), 0)
    for _ in range(rounds):
        won[max(field, key=lambda arm: rng.gauss(arm.mean, math.sqrt(arm.variance))).id] += 1
    for arm, chance in propensities(field, 0.0).items():
        assert abs(won[arm] / rounds - chance) < 0.05
