"""Outcomes: what counts as following from a decision, and what it earned by the window's end."""

import json

import pytest
from msgspec.structs import replace

from models.catalogue import NONE, Catalogue
from models.customer import Customer, decode, encode
from models.events import decode_event
from models.judge import Judge
from models.judgement import judged, note
from models.labels import mature
from models.offer_words import NOTHING_SAID, Said, said_of
from models.outcomes import beside, followed
from models.profile import Profile
from models.records import Example, Reserved
from models.rhythm import DAY_MS

T0 = 1_780_000_000_000
OFFER = {"id": "coupon", "name": {"en": "a", "ko": "a"}, "channels": ["app"], "value": 10}


def judge(none_value=0.0, offer=(), **policy):
    policy = {"holdout": 0.0, "floor": 0.0, "valid_days": 7, "none_value": none_value, **policy}
    catalogue = {"offers": [{**OFFER, **dict(offer)}], "policy": policy}
    return Judge.untrained(Catalogue.model_validate(catalogue))


def decided(some, none=False):
    """A customer to whom the coupon was just offered; or none, where it does not reach."""
    profile = Profile(events_by_channel={} if none else {"app": 1})
    who = note(Customer(customer_id="c_1", profile=profile), "page_viewed", T0)
    who = look(who, T0, some).customer
    assert who.offer.offer == (NONE if none else "coupon")
    return who


def look(who, at_ms, some):
    return judged(who, at_ms, at_ms, f"e{at_ms}", some, touch=True)


def outcome(some, *touches, none=False, days=7):
    """What is released after touches (kind, day, what it says) at the end of the window."""
    who = decided(some, none)
    for kind, day, *said in touches:
        who = note(who, kind, T0 + int(day * DAY_MS), said[0] if said else NOTHING_SAID)
    who = decode(encode(who))
    return look(who, T0 + days * DAY_MS, some).examples[0]


def order(margin=None, currency="USD", **said):
    return Said(margin=margin, currency=currency, **said)


def earned(example):
    return (example.label, example.outcome.margin)


def test_silence_until_the_end_of_the_window_earns_nothing():
    example = outcome(judge())
    assert earned(example) == (0.0, 0.0)
    assert (example.arm, example.label_ms) == ("coupon/app", T0 + 7 * DAY_MS)
    said = example.outcome
    assert (said.shown, said.claimed, said.holdout) == (False, False, False)


def test_orders_earn_their_margins_together():
    example = outcome(judge(), ("order_placed", 1, order(1250)), ("order_placed", 3, order(-50)))
    assert earned(example) == (1.0, 12.0)


def test_margins_are_in_the_currencys_own_unit():
    won = judge(currency="KRW", most=1e9)
    assert earned(outcome(won, ("order_placed", 1, order(9_000, "KRW")))) == (1.0, 9_000.0)


@pytest.mark.parametrize("said", [order(None), order(900, "EUR"), NOTHING_SAID])
def test_an_order_of_unknown_margin_earns_what_is_stated(said):
    assert earned(outcome(judge(), ("order_placed", 1, said))) == (1.0, 10.0)
    assert earned(outcome(judge(none_value=4), ("order_placed", 1, said), none=True)) == (1.0, 4.0)
    twice = ("order_placed", 2, said)
    assert earned(outcome(judge(), ("order_placed", 1, said), twice)) == (1.0, 20.0)
    assert earned(outcome(judge(), ("order_placed", 1, order(100)), twice)) == (1.0, 11.0)


def test_a_subscription_earns_what_is_stated():
    assert earned(outcome(judge(), ("subscription_started", 1))) == (1.0, 10.0)


def test_an_acceptance_converts_and_the_order_after_it_tells_what_it_earned():
    accepted = ("offer_accepted", 1, Said(offer="coupon"))
    assert earned(outcome(judge(), accepted)) == (1.0, 10.0)
    example = outcome(judge(), accepted, ("order_placed", 2, order(700)))
    assert earned(example) == (1.0, 7.0)
    assert example.outcome.claimed


def test_one_large_order_does_not_count_for_ever():
    assert earned(outcome(judge(), ("order_placed", 1, order(10**9)))) == (1.0, 100.0)
    assert earned(outcome(judge(most=50), ("order_placed", 1, order(-(10**9))))) == (1.0, -50.0)


def test_what_happens_outside_the_window_is_not_its_outcome():
    assert earned(outcome(judge(), ("order_placed", 0, order(900)))) == (0.0, 0.0)
    assert earned(outcome(judge(), ("order_placed", 7, order(900)))) == (0.0, 0.0)
    for day in (0, 7):
        assert earned(outcome(judge(), ("offer_accepted", day, Said(offer="coupon")))) == (0.0, 0.0)
    longer = judge(attribution_days=10)
    assert earned(outcome(longer, ("order_placed", 8, order(900)), days=10)) == (1.0, 9.0)


def test_no_new_decision_is_made_while_an_outcome_is_awaited():
    longer = judge(attribution_days=10)
    who = decided(longer)
    assert look(who, T0 + 8 * DAY_MS, longer).decisions == []
    assert len(look(who, T0 + 10 * DAY_MS, longer).decisions) == 1


def test_what_is_heard_after_the_windows_end_counts_no_more():
    after = look(decided(judge()), T0 + 7 * DAY_MS, judge()).customer
    late = note(after, "order_placed", T0 + DAY_MS, order(900))
    assert late.awaited == after.awaited


def test_seeing_or_declining_is_no_conversion():
    about = Said(offer="coupon")
    example = outcome(judge(), ("offer_shown", 1, about), ("offer_declined", 2, about))
    assert earned(example) == (0.0, 0.0)
    assert example.outcome.shown


def test_an_answer_to_another_decision_is_none_to_this_one():
    other = Said(offer="coupon", decision_id="offer:c_1:1:e")
    assert earned(outcome(judge(), ("offer_accepted", 1, other))) == (0.0, 0.0)
    assert earned(outcome(judge(), ("offer_accepted", 1, Said(offer="other")))) == (0.0, 0.0)
    mine = decided(judge()).offer.decision_id
    named = Said(offer="coupon", decision_id=mine)
    assert earned(outcome(judge(), ("offer_accepted", 1, named))) == (1.0, 10.0)


def test_orders_may_have_to_follow_the_showing():
    strict = judge(attribution="shown")
    shown, bought = ("offer_shown", 1, Said(offer="coupon")), ("order_placed", 2, order(900))
    assert earned(outcome(strict, bought)) == (0.0, 0.0)
    assert earned(outcome(strict, shown, bought)) == (1.0, 9.0)
    assert earned(outcome(strict, bought, ("offer_shown", 3, Said(offer="coupon")))) == (0.0, 0.0)
    [waiting] = decided(strict).awaited
    named = ("order_placed", 2, order(900, decision_id=waiting.decision_id))
    assert earned(outcome(strict, named)) == (1.0, 9.0)  # it must have been seen somewhere


def test_orders_may_have_to_claim_the_offer():
    strict = judge(attribution="claimed", offer={"coupon": "TEN"})
    mine = decided(strict).offer.decision_id
    assert earned(outcome(strict, ("order_placed", 1, order(900)))) == (0.0, 0.0)
    assert earned(outcome(strict, ("order_placed", 1, order(900, coupon="SIX")))) == (0.0, 0.0)
    for claim in ({"coupon": "TEN"}, {"decision_id": mine}):
        example = outcome(strict, ("order_placed", 1, order(900, **claim)))
        assert earned(example) == (1.0, 9.0)
        assert example.outcome.claimed


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("offer_accepted", Said(offer="coupon")),
        ("offer_declined", Said(offer="coupon")),
        ("order_placed", order(900, coupon="TEN")),
    ],
)
def test_an_answered_or_claimed_offer_is_shown_no_more(kind, said):
    who = decided(judge(offer={"coupon": "TEN"}))
    assert note(who, kind, T0 + 1, said).offer is None


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("offer_declined", Said(offer="another")),
        ("offer_shown", Said(offer="coupon")),
        ("order_placed", order(900)),
    ],
)
def test_anything_else_leaves_it_standing(kind, said):
    who = decided(judge())
    assert note(who, kind, T0 + 1, said).offer == who.offer


def test_an_outcome_tells_what_making_the_offer_cost_and_who_drew_it():
    some = judge(offer={"cost": 1.0, "costs": {"app": 0.25}})
    example = outcome(some)
    assert (example.outcome.cost, example.outcome.policy) == (0.25, "thompson-4")
    assert example.outcome.half_life == some.catalogue.policy.half_life
    assert outcome(some, none=True).outcome.cost == 0.0


def test_a_control_customers_outcome_says_so():
    some = judge(holdout=0.999)
    who = note(Customer(customer_id="c_1"), "page_viewed", T0)
    [example] = look(look(who, T0, some).customer, T0 + 7 * DAY_MS, some).examples
    assert (example.arm, example.outcome.holdout, example.probability) == (NONE, True, 1.0)


def test_a_unit_that_was_claimed_is_not_given_back():
    some = judge(offer={"stock": 5})
    who = note(decided(some), "offer_accepted", T0 + DAY_MS, Said(offer="coupon"))
    assert [type(one) for one in look(who, T0 + 7 * DAY_MS, some).examples[:1]] == [Example]
    freed = [one for one in look(who, T0 + 7 * DAY_MS, some).examples if isinstance(one, Reserved)]
    assert [one.units for one in freed] == [1]  # the next decision's own


def test_another_ones_purchases_count_once_however_often_they_are_told():
    [waiting] = decided(judge()).awaited
    once = beside([waiting], "order_placed", T0 + DAY_MS, [])
    assert [one.unknown for one in once] == [1]
    assert beside(once, "order_placed", T0 + 2 * DAY_MS, []) == once
    assert beside([waiting], "page_viewed", T0 + DAY_MS, []) == [waiting]
    for outside in (T0, T0 + 7 * DAY_MS, T0 + 8 * DAY_MS):
        assert beside([waiting], "order_placed", outside, []) == [waiting]


@pytest.mark.parametrize(("end", "released"), [(7 * DAY_MS - 1, 0), (7 * DAY_MS, 1)])
def test_an_outcome_is_told_where_its_whole_window_was_observed(end, released):
    who = replace(decided(judge()), observed_until_ms=T0 + end)
    after, examples = mature(who, T0 + 7 * DAY_MS, Catalogue())
    assert (after.awaited, len(examples)) == ([], released)


def both():
    """One customer with two decisions that wait, as after a merge: "old", and a day later "new"."""
    [one] = decided(judge()).awaited
    waiting = [
        replace(one, decision_id="old", coupon="OLD"),
        replace(one, decision_id="new", at_ms=T0 + DAY_MS, due_ms=T0 + 8 * DAY_MS),
    ]
    return Customer(customer_id="c_1", awaited=waiting)


@pytest.mark.parametrize(
    ("kind", "day", "said", "counted"),
    [
        ("order_placed", 2, order(500), {"new"}),
        ("order_placed", 2, order(500, coupon="OLD"), {"old"}),
        ("order_placed", 2, order(500, decision_id="old"), {"old"}),
        ("order_placed", 0.5, order(500), {"old"}),
        ("order_placed", 7.5, order(500), {"new"}),
        ("order_placed", 9, order(500), set()),
        ("subscription_started", 2, NOTHING_SAID, {"new"}),
        ("offer_accepted", 2, Said(offer="coupon"), {"new"}),
        ("offer_accepted", 2, Said(offer="coupon", decision_id="old"), {"old"}),
    ],
)
def test_of_two_decisions_that_wait_one_alone_is_followed(kind, day, said, counted):
    who = followed(both(), kind, T0 + int(day * DAY_MS), said)
    changed = {one.decision_id for one in who.awaited if one not in both().awaited}
    assert changed == counted


def test_a_purchase_that_another_ones_decision_counted_is_not_counted_beside():
    old, new = both().awaited
    assert beside([new], "order_placed", T0 + 2 * DAY_MS, [old]) == [new]
    [counted] = beside([new], "order_placed", T0 + int(7.5 * DAY_MS), [old])
    assert counted.unknown == 1
    told = beside([old, new], "order_placed", T0 + 2 * DAY_MS, [])
    assert [one.unknown for one in told] == [0, 1]


def test_an_order_says_its_margin_coupon_and_decision():
    text = {
        "type": "order_placed", "schema_version": 2, "event_id": "e", "order_id": "o",
        "occurred_at": "2026-06-01T00:00:00Z", "received_at": "2026-06-01T00:00:00Z",
        "identifiers": [{"type": "user_id", "value": "ana"}], "coupon": "TEN",
        "total": {"amount": "50.00", "currency": "USD"}, "properties": {"decision_id": "d"},
    }  # fmt: skip
    margin = {"margin": {"amount": "12.50", "currency": "USD"}}
    assert said_of(read(text | margin)) == Said("", "d", "TEN", 1250, "USD")
    assert said_of(read(text | {"properties": {}})) == Said("", "", "TEN", None, "USD")
    assert said_of(read(text | {"properties": {"decision_id": 5}})).decision_id == ""


def read(event):
    return decode_event(json.dumps(event).encode())


def test_what_waits_is_answered_by_the_customer_one_turns_out_to_be():
    who = decided(judge())
    assert replace(who, awaited=beside(who.awaited, "order_placed", T0 + 1, [])) != who
