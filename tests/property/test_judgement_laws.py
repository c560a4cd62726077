"""Laws of judging, whatever happens to a customer and in whatever rhythm."""

import math
from statistics import NormalDist

import pytest
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
from models.offer_words import Said
from models.online.scaling import sigmoid
from models.online.thompson import propensities
from models.rhythm import DAY_MS
from tests.support.told import told

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
sure_arms = st.tuples(
    st.floats(-1e3, 1e3),
    st.floats(1e-8, 1e4),
    st.floats(1e-4, 1e6),
    st.just(0.0) | st.floats(0, 1e4),
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
            noted = note(customer, kind, now, Said(offer="a"))
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
    first, again = ([told(made) for made in live(history)] for _ in range(2))
    assert first == again


def chances_of(drawn, floor):
    return propensities(*map(list, zip(*drawn, strict=True)), floor)


@given(arms, st.floats(0, 0.5))
def test_propensities_sum_to_one_and_keep_the_floor(drawn, floor):
    chances = chances_of(drawn, floor)
    assert math.isclose(math.fsum(chances), 1.0, abs_tol=1e-9)
    assert min(chances) >= floor / len(drawn) - 1e-12


@given(st.lists(sure_arms, max_size=8))
def test_arms_that_are_as_good_as_certain_have_their_chances_too(drawn):
    drawn = [*drawn, (-2.0, 1e-8, 1e-4, 0.0)]  # making none
    chances = chances_of(drawn, 0.0)
    assert math.isclose(math.fsum(chances), 1.0, abs_tol=1e-9)
    assert min(chances) >= 0.0


@pytest.mark.parametrize("logit", [5.0, 36.0, 700.0])
def test_who_is_certain_to_convert_is_drawn_beside_who_may_bring_more(logit):
    certain, doubtful = (logit, 1e-8, 1.0, 0.0), (0.0, 1.0, 1.2, 0.0)
    share = NormalDist().cdf(-math.log(5))  # P(1.2 p > 1)
    assert chances_of([certain, doubtful], 0.0) == pytest.approx([1.0 - share, share], abs=0.005)
    assert chances_of([certain, (-2.0, 0.1, 1.0, 0.0)], 0.0) == pytest.approx([1.0, 0.0])


@given(arms)
def test_the_order_of_the_arms_changes_no_chance(drawn):
    assert chances_of(drawn[::-1], 0.0) == pytest.approx(chances_of(drawn, 0.0)[::-1], abs=1e-9)


def test_many_arms_share_alike():
    chances = chances_of([(-2.0, 1.0, 10.0, 0.5)] * 1_500, 0.1)
    assert chances == pytest.approx([1 / 1_500] * 1_500)


SLICES = [NormalDist().inv_cdf((n + 0.5) / 400) for n in range(400)]


def plain_chances(drawn):
    """P(each arm is worth most), arm by arm, over slices of its own logit."""

    def below(worth, mean, variance, value, cost):
        chance = (worth + cost) / value
        if not 0.0 < chance < 1.0:
            return float(chance >= 1.0)
        return NormalDist(mean, math.sqrt(variance)).cdf(math.log(chance / (1.0 - chance)))

    best = []
    for arm in drawn:
        mean, variance, value, cost = arm
        others = [other for other in drawn if other is not arm]
        worths = [value * sigmoid(mean + math.sqrt(variance) * z) - cost for z in SLICES]
        best.append(sum(math.prod(below(w, *o) for o in others) for w in worths) / len(SLICES))
    return [chance / sum(best) for chance in best]


@given(
    st.lists(
        st.tuples(st.floats(-4, 1), st.floats(0.05, 1), st.floats(5, 30), st.floats(0, 1)),
        min_size=2,
        max_size=5,
    )
)
@settings(max_examples=30, deadline=None)
def test_propensities_are_the_plain_integral(drawn):
    assert chances_of(drawn, 0.0) == pytest.approx(plain_chances(drawn), abs=0.02)


def test_an_offer_that_may_lose_money_is_weighed_against_making_none():
    losing = (0.0, 0.5, 10.0, 5.0)  # worth 10 p - 5 with p around a half
    nothing = (-2.0, 0.5, 0.0, 0.0)  # worth 0, whatever happens
    assert chances_of([losing, nothing], 0.0) == pytest.approx([0.5, 0.5], abs=0.02)
    assert chances_of([nothing, nothing], 0.1) == [0.5, 0.5]
    assert chances_of([nothing], 0.1) == [1.0]
