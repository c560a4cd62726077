"""Laws of outcomes: whoever merges with whom and when, a purchase counts once."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from models.customer import Awaited, Customer
from models.judgement import absorb, note
from models.offer_words import Said
from models.profile.shape import Moment
from models.profile.timeline import add
from models.records import NO_FEATURES

WINDOW = 70
times = st.integers(0, 150)
purchases = st.lists(st.tuples(st.sampled_from("ab"), times), max_size=8, unique_by=lambda p: p[1])
decisions = st.lists(st.tuples(st.sampled_from("ab"), times), max_size=2, unique_by=lambda d: d[0])


def awaiting(name, at_ms):
    return Awaited(
        decision_id=f"d{name}", arm="x/app", at_ms=at_ms, due_ms=at_ms + WINDOW, propensity=1.0,
        model_version=0, policy="p", features=NO_FEATURES,
    )  # fmt: skip


def customers(made):
    return {
        name: Customer(customer_id=name, awaited=[awaiting(*one) for one in made if one[0] == name])
        for name in "ab"
    }


def bought(customer, at_ms):
    """Return the customer after an order of 1, with its moment in the profile."""
    after = note(customer, "order_placed", at_ms, Said(margin=1, currency="USD"))
    moment = Moment(
        event_id=f"e{at_ms}", at_ms=at_ms, type="order_placed", channel="web", summary=""
    )
    profile = replace(after.profile, recent=add(after.profile.recent, moment))
    return replace(after, profile=profile)


def merged(made, orders, split, winner="a"):
    """Return who both are: the first orders come before the merge, the others after it."""
    who = customers(made)
    for name, at_ms in orders[:split]:
        who[name] = bought(who[name], at_ms)
    loser = "b" if winner == "a" else "a"
    one = absorb(who[winner], who[loser], 0, 0, "m").customer
    for _, at_ms in orders[split:]:
        one = bought(one, at_ms)
    return one


@given(decisions, purchases, st.integers(0, 8))
def test_a_purchase_rewards_at_most_one_decision_that_waits(made, orders, split):
    one = merged(made, orders, split)
    assert sum(waited.known + waited.unknown for waited in one.awaited) <= len(orders)


@given(decisions, purchases, st.integers(0, 8))
def test_a_decision_that_was_followed_by_a_purchase_is_one_of_those_rewarded(made, orders, split):
    one = merged(made, orders, split)
    for _, at_ms in orders:
        after = [waited for waited in one.awaited if waited.at_ms < at_ms < waited.due_ms]
        assert not after or any(waited.known + waited.unknown for waited in after)


@given(decisions, purchases, st.integers(0, 8))
def test_it_does_not_matter_which_of_the_two_remains(made, orders, split):
    assert merged(made, orders, split, "a").awaited == merged(made, orders, split, "b").awaited


@given(decisions, purchases, st.data())
def test_purchases_count_alike_in_whatever_order_they_are_heard_of(made, orders, data):
    shuffled = data.draw(st.permutations(orders))
    assert merged(made, orders, 0).awaited == merged(made, shuffled, 0).awaited
    assert merged(made, orders, len(orders)).awaited == merged(made, shuffled, len(orders)).awaited
