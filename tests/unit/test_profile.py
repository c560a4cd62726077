"""How a profile changes, one rule at a time."""

from datetime import timedelta
from functools import reduce

import pytest

from models.events import (
    CallReceived,
    Campaign,
    ConsentChanged,
    Context,
    CustomerIdentified,
    FeedbackGiven,
    Line,
    MessageSent,
    OrderPlaced,
    OrderRefunded,
    OrderReturned,
    PageViewed,
    PointsEarned,
    PointsRedeemed,
    SubscriptionCancelled,
    SubscriptionStarted,
    TicketClosed,
    TicketOpened,
    TicketUpdated,
)
from models.profile import Profile, evolve, moments
from models.profile.laws import WEEKS, weekly
from tests.support.histories import NOON, event, usd

ELEVEN, ONE = NOON - timedelta(hours=1), NOON + timedelta(hours=1)


def profile_of(*events):
    return reduce(evolve, events, Profile())


def test_a_late_touchpoint_does_not_move_last_seen_back():
    profile = profile_of(event(at=NOON), event(at=ELEVEN, id="e2"))
    assert profile.last_seen_ms == event(at=NOON).occurred_ms
    assert profile.first_seen_ms == event(at=ELEVEN).occurred_ms


def test_what_we_send_is_no_sign_of_life():
    profile = profile_of(event(at=NOON), event(MessageSent, at=ONE, id="e2"))
    assert profile.last_seen_ms == event(at=NOON).occurred_ms
    assert profile.messages_sent == 1


def test_the_newest_statement_wins_not_the_last_to_arrive():
    new = event(CustomerIdentified, at=NOON, id="e1", traits={"city": "Seoul", "age": 41})
    old = event(CustomerIdentified, at=ELEVEN, id="e2", traits={"city": "Busan", "vip": True})
    traits = profile_of(new, old).traits
    assert {name: trait.value for name, trait in traits.items()} == {
        "city": "Seoul", "age": 41.0, "vip": True,
    }  # fmt: skip


def test_of_two_statements_at_one_instant_the_greater_event_id_wins():
    said = [
        event(ConsentChanged, id=id, granted=granted) for id, granted in (("a", True), ("b", False))
    ]
    assert profile_of(*said) == profile_of(*reversed(said))
    assert profile_of(*said).consents["marketing"].value is False


def test_an_order_adds_its_money_units_products_and_interests():
    lines = (
        Line(sku="tv", category="video", quantity=2, price=usd("20"), cost=usd("15")),
        Line(sku="hdmi", category="video", price=usd("19"), cost=usd("4")),
    )
    profile = profile_of(event(OrderPlaced, total=usd("59.00"), lines=lines))
    assert (profile.orders, profile.items) == (1, 3)
    assert profile.revenue == {"USD": 5900}
    assert profile.margin == {"USD": 5900 - 3400}
    assert set(profile.products) == {"tv", "hdmi"}
    assert profile.interests == {"video": 2}
    assert moments(profile.recent)[0].summary == "3 x, 59.00 USD"


@pytest.mark.parametrize("late", [OrderRefunded, OrderReturned])
def test_what_becomes_of_an_order_may_be_known_before_the_order(late):
    order, then = event(OrderPlaced, at=NOON), event(late, at=ONE, id="e2")
    assert profile_of(then, order) == profile_of(order, then)
    assert (profile_of(then).refunds, profile_of(then).returns).count(1) == 1


def test_a_refund_leaves_the_gross_revenue_and_is_told_beside_it():
    profile = profile_of(event(OrderPlaced), event(OrderRefunded, id="e2"))
    assert (profile.revenue, profile.refunded) == ({"USD": 1000}, {"USD": 300})


def test_a_ticket_closed_before_it_was_opened_is_closed():
    opened, closed = event(TicketOpened, at=ELEVEN), event(TicketClosed, at=NOON, id="e2")
    assert profile_of(closed, opened) == profile_of(opened, closed)
    assert profile_of(closed, opened).open_tickets == []


def test_a_ticket_reopened_is_open():
    told = [
        event(TicketOpened, at=ELEVEN),
        event(TicketClosed, at=NOON, id="e2"),
        event(TicketUpdated, at=ONE, id="e3", status="reopened"),
    ]
    assert profile_of(*told).open_tickets == ["t1"]
    assert profile_of(*told[:2]).open_tickets == []


def test_the_first_and_last_campaign_are_kept():
    came = [
        event(at=at, id=f"e{n}", context=Context(campaign=Campaign(source=source)))
        for n, (at, source) in enumerate(((NOON, "ad"), (ONE, "mail"), (ELEVEN, "search")))
    ]
    profile = profile_of(*came, event(id="e9"))
    assert profile.attribution_first.value == "search"
    assert profile.attribution_last.value == "mail"


def test_points_are_what_was_earned_less_what_was_redeemed():
    assert profile_of(event(PointsRedeemed), event(PointsEarned, id="e2")).points == {"default": 5}


def test_a_subscription_is_what_was_last_said_of_it():
    told = [event(SubscriptionStarted, at=ELEVEN), event(SubscriptionCancelled, at=NOON, id="e2")]
    assert profile_of(*reversed(told)).subscription.value == "cancelled"


def test_waiting_is_summed_in_whole_seconds():
    waits = [
        event(CallReceived, id=f"e{n}", wait_seconds=wait) for n, wait in enumerate((0.6, 1.1))
    ]
    assert profile_of(*waits, event(CallReceived, id="e9")).wait_seconds == 2


def test_feedback_is_kept_by_its_kind():
    given = [event(FeedbackGiven), event(FeedbackGiven, id="e2", kind="csat", score=4)]
    values = {kind: told.value for kind, told in profile_of(*given).feedback.items()}
    assert values == {"nps": 9, "csat": 4}


def test_the_timeline_keeps_the_newest_twenty_newest_first():
    seen = [event(at=NOON + timedelta(minutes=n), id=f"e{n}", path=f"/{n}") for n in range(30)]
    recent = moments(profile_of(*seen).recent)
    assert [moment.summary for moment in recent] == [f"/{n}" for n in range(29, 9, -1)]


def test_a_whole_number_too_large_to_be_a_float_stays_exact():
    profile = profile_of(event(CustomerIdentified, traits={"card": 2**60 + 1}))
    assert profile.traits["card"].value == str(2**60 + 1)


def test_an_event_leaves_the_profile_it_was_given_as_it_was():
    before = profile_of(event())
    copy = profile_of(event())
    evolve(before, event(PageViewed, id="e2", category="shoes"))
    assert before == copy


def test_of_what_is_told_by_the_week_the_newest_weeks_stay_whichever_comes_first():
    told = [{week: {"shoes": 1}} for week in range(WEEKS + 1)]
    for order in (told, told[::-1]):
        assert set(reduce(weekly(9), order, {})) == set(range(1, WEEKS + 1))
