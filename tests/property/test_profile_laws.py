"""The profile commutes: order, repetition and splits do not matter, for every field."""

from datetime import timedelta
from functools import reduce
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.events import (
    CustomerIdentified,
    Identifier,
    IdentifierType,
    Line,
    OpportunityChanged,
    OrderPlaced,
    OrderRefunded,
    PageViewed,
    PointsEarned,
    TicketClosed,
    TicketOpened,
)
from models.profile import Profile, evolve, fold_all, merge
from models.profile.laws import LAWS
from tests.support.histories import NOON, event, histories, kinds, usd

LAWFUL = settings(max_examples=100, deadline=None)


def profile_of(history, start=None):
    return reduce(evolve, history, start or Profile())


@LAWFUL
@given(histories(), st.randoms(use_true_random=False))
def test_any_order_of_the_same_events_gives_the_same_profile(history, chance):
    shuffled = chance.sample(history, len(history))
    assert profile_of(shuffled) == profile_of(history)


@LAWFUL
@given(histories(), st.randoms(use_true_random=False))
def test_any_split_into_two_identities_merged_gives_the_same_profile(history, chance):
    left = [one for one in history if chance.random() < 0.5]
    right = [one for one in history if one not in left]
    halves = profile_of(left), profile_of(right)
    assert merge(*halves) == profile_of(history)
    assert merge(*reversed(halves)) == profile_of(history)


@LAWFUL
@given(histories(), histories(), histories())
def test_merging_is_associative(one, two, three):
    a, b, c = profile_of(one), profile_of(two), profile_of(three)
    assert merge(merge(a, b), c) == merge(a, merge(b, c))


def busy(chance):
    """A history that goes beyond every bound."""
    names = [f"n{number}" for number in range(400)]
    made = []
    for number in range(600):
        hours = chance.randrange(3_600, 3_900) if number % 9 else chance.randrange(3_900)
        name, at = chance.choice(names), NOON + timedelta(hours=hours)
        who = (Identifier(type=chance.choice(list(IdentifierType)), value=name),)
        kind, fields = chance.choice(
            [
                (OrderPlaced, {"lines": (Line(sku=name, category=name, price=usd("1")),)}),
                (PageViewed, {"category": name}),
                (CustomerIdentified, {"traits": {name: number, chance.choice(names): "x"}}),
                (TicketOpened, {"ticket_id": name}),
                (TicketClosed, {"ticket_id": name}),
                (PointsEarned, {"program": name}),
                (OpportunityChanged, {"opportunity_id": name}),
            ]
        )
        made.append(event(kind, at, f"e{number}", who, **fields))
    return made


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 600))
def test_what_is_bounded_is_bounded_alike_in_every_order(seed, cut):
    chance = Random(seed)
    history = busy(chance)
    shuffled = chance.sample(history, len(history))
    whole = profile_of(history)
    assert profile_of(shuffled) == whole
    assert merge(profile_of(shuffled[:cut]), profile_of(shuffled[cut:])) == whole
    assert len(whole.identifiers) == 100
    assert len(whole.interests) == 101  # what it no longer tells apart is one more
    assert len(whole.order_days) <= 100
    assert max(whole.interest_weeks) - min(whole.interest_weeks) < 16
    assert max(map(len, whole.interest_weeks.values())) == 20
    assert [len(whole.products), len(whole.tickets_opened), len(whole.recent)] == [50, 50, 20]


@LAWFUL
@given(histories(), st.integers(0, 40))
def test_a_history_folded_at_once_is_written_as_if_folded_one_by_one(history, cut):
    before, after = history[:cut], history[cut:]
    at_once = fold_all(fold_all(Profile(), before), after)
    assert msgspec.json.encode(at_once) == msgspec.json.encode(profile_of(history))


@pytest.mark.parametrize("costs", [(None, "1.00"), ("1.00", None), ("1.00", "2.00")])
def test_a_history_folded_at_once_leaves_the_profile_before_as_it_was(costs):
    orders = [
        event(OrderPlaced, id=f"e{n}", order_id=f"o{n}", total=usd("9.00"), lines=(
            Line(sku="tea", price=usd("9.00"), cost=usd(cost) if cost else None),
        ))
        for n, cost in enumerate(("3.00", *costs))
    ]  # fmt: skip
    before = profile_of(orders[:1])
    written = msgspec.json.encode(before)
    at_once = fold_all(before, orders[1:])
    assert msgspec.json.encode(before) == written
    assert msgspec.json.encode(at_once) == msgspec.json.encode(profile_of(orders))


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_a_long_history_folded_at_once_is_written_as_if_folded_one_by_one(seed, in_one_instant):
    chance = Random(seed)
    history = [*busy(chance), *busy(chance), *busy(chance)]
    if in_one_instant:
        history = [one.model_copy(update={"occurred_at": NOON}) for one in history]
    at_once = fold_all(Profile(), iter(history))
    assert msgspec.json.encode(at_once) == msgspec.json.encode(profile_of(history))


@LAWFUL
@given(histories(), st.integers(0, 40))
def test_resuming_from_a_snapshot_equals_replaying_it_all(history, cut):
    written = msgspec.json.encode(profile_of(history[:cut]))
    snapshot = msgspec.json.decode(written, type=Profile)
    resumed = profile_of(history[cut:], snapshot)
    assert resumed == profile_of(history)
    assert msgspec.json.decode(msgspec.json.encode(resumed), type=Profile) == resumed


@LAWFUL
@given(histories())
def test_money_is_exact(history):
    profile = profile_of(history)
    for kind, held in ((OrderPlaced, profile.revenue), (OrderRefunded, profile.refunded)):
        paid = {}
        for one in history:
            if one.type == kind.model_fields["type"].default:
                amount = one.total if kind is OrderPlaced else one.amount
                paid[amount.currency] = paid.get(amount.currency, 0) + amount.minor
        assert held == paid


def test_every_field_of_a_profile_has_its_law():
    assert tuple(LAWS) == Profile.__struct_fields__


def test_the_histories_hold_every_kind_of_touchpoint():
    from models.events.parsing import TYPES

    found = set()

    @settings(max_examples=2_000, deadline=None)
    @given(kinds)
    def look(drawn):
        found.add(drawn[0].model_fields["type"].default)

    look()
    assert found == TYPES
