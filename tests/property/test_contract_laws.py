"""Contracts commute, and labels of contracts are what really happened."""

from datetime import timedelta
from functools import reduce
from random import Random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from models import contracts
from models.contracts import MOST
from models.events import SubscriptionCancelled, SubscriptionRenewed, SubscriptionStarted
from tests.support.histories import NOON, event, usd
from tests.unit.test_contracts import Life

KINDS = (SubscriptionStarted, SubscriptionRenewed, SubscriptionCancelled)
words = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.integers(0, 400),
        st.sampled_from(["s1", "s2", "s3"]),
        st.none() | st.integers(0, 500),
        st.sampled_from(["month", "year"]),
        st.sampled_from([None, "9.00", "12.00", "12.50"]),
    ),
    max_size=12,
)


def told(history):
    for number, (kind, day, id, until, period, price) in enumerate(history):
        end = None if until is None else NOON + timedelta(days=until)
        fields = {"subscription_id": id}
        if kind is SubscriptionCancelled:
            fields |= {"ends_at": end}
        else:
            fields |= {"plan": "p", "renews_at": end, "period": period}
            fields |= {"price": usd(price)} if price else {}
        yield event(kind, NOON + timedelta(days=day), f"e{number}", **fields)


def folded(events, start=None):
    return reduce(
        lambda held, one: contracts.after(held, one, one.occurred_ms), events, start or {}
    )


@settings(max_examples=150, deadline=None)
@given(words, st.randoms(use_true_random=False))
def test_any_order_and_any_split_of_the_same_words_give_the_same_contracts(history, chance):
    events = list(told(history))
    whole = folded(events)
    assert folded(chance.sample(events, len(events))) == whole
    left = [one for one in events if chance.random() < 0.5]
    right = [one for one in events if one not in left]
    halves = folded(left), folded(right)
    assert contracts.join(*halves) == contracts.join(*reversed(halves)) == whole
    assert list(contracts.join(*halves)) == list(whole)  # and so the same bytes


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_what_is_bounded_is_bounded_alike_in_every_order(seed):
    chance = Random(seed)
    history = [
        (
            chance.choice(KINDS),
            chance.randrange(400),
            f"s{chance.randrange(60)}",
            None,
            "month",
            "9.00",
        )
        for _ in range(200)
    ]
    events = list(told(history))
    whole = folded(events)
    assert len(whole) == MOST
    assert folded(chance.sample(events, len(events))) == whole
    assert contracts.join(folded(events[:90]), folded(events[90:])) == whole


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(KINDS), st.floats(0.1, 60)), max_size=8))
@example([(SubscriptionStarted, 0.1), (SubscriptionStarted, 59.99999999999999)])  # at its timer
def test_no_timer_is_left_behind_and_the_worlds_alternate(history):
    life, day = Life(), 0.0
    for number, (kind, gap) in enumerate(history):
        day += gap
        plan = {} if kind is SubscriptionCancelled else {"plan": "p"}
        life.say(day, kind, subscription_id=f"s{number % 2}", **plan)
        assert all(due > life.customer.clock_ms for due in life.customer.timers.values())
    life.silent(day + 3_000)
    assert life.customer.timers == {}
    assert life.customer.pending == []
    for one in life.examples:
        assert one.label_ms == one.at_ms + 30 * 86_400_000
        assert one.model == {"silence": "churn", "contract": "contract"}[one.horizon.split("-")[0]]
    assert len({(one.at_ms, one.cause) for one in life.scores}) == len(life.scores)
