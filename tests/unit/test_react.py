"""What one event does to one customer."""

from datetime import timedelta

import pytest

from models.customer import Customer, decode, encode
from models.events import (
    CustomerMerged,
    Identifier,
    MessageSent,
    OrderPlaced,
    PageViewed,
)
from models.identity import customer_id_of, identify
from models.judge import Judge
from models.react import Position, react
from models.rhythm import DAY_MS
from models.timers import fired
from tests.support.histories import ANA, NOON, event
from tests.support.told import told

JUDGE = Judge.untrained()
VISITOR = Identifier(type="anonymous_id", value="a-1")
ANA_ID, VISITOR_ID = customer_id_of(ANA), customer_id_of(VISITOR)
NEW = Customer(customer_id=ANA_ID)


def at(offset, partition=2):
    return Position("events", partition, offset)


def touch(kind=PageViewed, origin_offset=0, **fields):
    return identify(event(kind, **fields), "touchpoints/1", origin_offset)


def after(*events, customer=NEW):
    """React to events one after another, as they stand in the log; return the last reaction."""
    for offset, one in enumerate(events, customer.offset + 1):
        reaction = react(customer, one, at(offset), JUDGE)
        customer = reaction.customer
    return reaction


def merge_of(loser, winner, offset=0):
    return CustomerMerged(
        event_id="merged:l", occurred_at=NOON, received_at=NOON, customer_id=loser,
        origin="identity-links/0", origin_offset=offset, winner=winner, loser=loser, link_id="l",
    )  # fmt: skip


def test_an_offset_that_kafka_delivers_again_changes_nothing():
    first = react(NEW, touch(), at(5), JUDGE)
    again = react(first.customer, touch(id="e2", origin_offset=1), at(5), JUDGE)
    assert not again.changed
    assert again.customer == first.customer


def test_an_event_that_a_crash_upstream_repeats_changes_nothing():
    customer = after(touch(id="e1", origin_offset=1), touch(id="e2", origin_offset=2)).customer
    repeated = react(customer, touch(id="e1", origin_offset=1), at(9), JUDGE)
    assert not repeated.changed


def test_an_event_that_a_client_sends_twice_counts_once():
    once = after(touch(id="e1", origin_offset=1))
    twice = after(touch(id="e1", origin_offset=2), customer=once.customer)
    assert twice.customer.profile == once.customer.profile
    assert twice.scores == []


def test_the_same_id_from_two_sources_is_two_events():
    shop, till = (touch(id="1", source=name, origin_offset=n) for n, name in enumerate(("a", "b")))
    assert after(shop, till).customer.profile.events == 2


def test_a_contact_is_scored_and_what_we_send_is_not():
    assert len(after(touch()).scores) == 1
    assert after(touch(MessageSent)).scores == []


def test_the_same_customer_event_and_judge_give_the_same_reaction():
    first, again = (after(touch(OrderPlaced), touch(id="e2")) for _ in range(2))
    assert told(first) == told(again)


def test_time_that_passes_runs_the_timers_that_fell_due_in_between():
    late = NOON + timedelta(days=20)
    reaction = after(touch(id="e1"), touch(id="e2", at=late, received_at=late, origin_offset=1))
    noon = after(touch()).customer.clock_ms
    assert [score.at_ms - noon for score in reaction.scores] == [
        7 * DAY_MS,
        14 * DAY_MS,
        20 * DAY_MS,
    ]
    assert reaction.customer.clock_ms == noon + 20 * DAY_MS
    assert reaction.customer.timers["silence"] == noon + 27 * DAY_MS


def test_a_late_event_moves_no_clock_back_and_fires_no_timer():
    early = NOON - timedelta(days=30)
    customer = after(touch(id="e1")).customer
    reaction = after(touch(id="e0", at=early, origin_offset=1), customer=customer)
    assert reaction.customer.clock_ms == customer.clock_ms
    assert reaction.customer.profile.first_seen_ms < customer.clock_ms
    assert [score.at_ms for score in reaction.scores] == [customer.clock_ms]


def test_a_clock_ahead_of_ours_does_not_make_silence_pass_faster():
    ahead = NOON + timedelta(hours=20)
    customer = after(touch(at=ahead, received_at=NOON)).customer
    assert customer.clock_ms == after(touch()).customer.clock_ms


def test_a_timer_that_fires_scores_the_silence_at_its_time():
    customer = after(touch()).customer
    due = customer.timers["silence"]
    reaction = after(fired(ANA_ID, due, due + 400), customer=customer)
    assert [score.at_ms for score in reaction.scores] == [due]
    assert reaction.customer.clock_ms == due + 400
    assert reaction.customer.profile == customer.profile


def test_a_timer_that_fires_on_time_to_the_millisecond_scores_the_silence():
    customer = after(touch()).customer
    due = customer.timers["silence"]
    reaction = after(fired(ANA_ID, due, due), customer=customer)
    assert [score.at_ms for score in reaction.scores] == [due]
    assert reaction.customer.timers["silence"] > due


def test_a_timer_that_fires_after_something_came_does_nothing():
    customer = after(touch()).customer
    due = customer.timers["silence"]
    later = NOON + timedelta(days=6)
    back = after(touch(id="e2", at=later, received_at=later, origin_offset=1), customer=customer)
    assert after(fired(ANA_ID, due, due), customer=back.customer).scores == []


def test_silence_beyond_the_end_of_a_backfill_means_nothing():
    seen = touch(at=NOON, observed_until=NOON + timedelta(days=10))
    customer = after(seen).customer
    year_later = customer.clock_ms + 400 * DAY_MS
    reaction = after(fired(ANA_ID, customer.timers["silence"], year_later), customer=customer)
    assert [score.at_ms - customer.clock_ms for score in reaction.scores] == [7 * DAY_MS]
    assert reaction.examples == []
    assert reaction.customer.timers == {}


def test_a_live_event_ends_a_backfill():
    seen = touch(at=NOON, observed_until=NOON + timedelta(days=10))
    live = NOON + timedelta(days=11)
    back = after(seen, touch(id="e2", at=live, received_at=live, origin_offset=1)).customer
    assert back.observed_until_ms is None
    assert "silence" in back.timers


def test_a_loser_becomes_a_pointer_and_hands_over_all_it_had():
    visitor = after(touch(who=(VISITOR,)), customer=Customer(customer_id=VISITOR_ID)).customer
    reaction = react(visitor, merge_of(VISITOR_ID, ANA_ID), at(7), JUDGE)
    (absorbed,) = reaction.events
    assert absorbed.type == "customer_absorbed"
    assert absorbed.customer_id == ANA_ID
    assert (absorbed.origin, absorbed.origin_offset) == ("events/2", 7)
    assert decode(absorbed.state).profile == visitor.profile
    assert reaction.customer.merged_into == ANA_ID
    assert reaction.customer.profile.events == 0
    assert reaction.customer.timers == {}


def test_a_customer_nobody_has_seen_can_lose_too():
    reaction = react(Customer(customer_id=VISITOR_ID), merge_of(VISITOR_ID, ANA_ID), at(0), JUDGE)
    assert reaction.customer.merged_into == ANA_ID
    taken = after(*reaction.events, customer=after(touch()).customer)
    assert taken.customer.absorbed == [VISITOR_ID]
    assert taken.scores == []


@pytest.fixture
def pointer():
    visitor = after(touch(who=(VISITOR,)), customer=Customer(customer_id=VISITOR_ID)).customer
    return react(visitor, merge_of(VISITOR_ID, ANA_ID), at(7), JUDGE)


def test_a_late_event_of_the_loser_goes_on_to_the_winner_once(pointer):
    late = touch(id="e9", who=(VISITOR,), origin_offset=8)
    reaction = react(pointer.customer, late, at(8), JUDGE)
    (onward,) = reaction.events
    assert (onward.event_id, onward.customer_id) == ("e9", ANA_ID)
    assert (onward.origin, onward.origin_offset) == ("events/2", 8)
    resent = touch(id="e9", who=(VISITOR,), origin_offset=9)
    assert react(reaction.customer, resent, at(9), JUDGE).events == []


def test_a_winner_absorbs_a_loser_once(pointer):
    winner = after(touch(id="w1")).customer
    (absorbed,) = pointer.events
    once = after(absorbed, customer=winner).customer
    assert once.profile.events == 2
    assert once.absorbed == [VISITOR_ID]
    assert set(once.profile.identifiers) == {"user_id:ana", "anonymous_id:a-1"}
    elsewhere = absorbed.model_copy(update={"origin": "events/9", "origin_offset": 99})
    assert after(elsewhere, customer=once).customer.profile == once.profile


def test_what_reaches_a_pointer_for_a_customer_it_once_won_goes_on_too(pointer):
    (absorbed,) = pointer.events
    ana = react(after(touch()).customer, merge_of(ANA_ID, "c_final"), at(8), JUDGE).customer
    (onward,) = after(absorbed, customer=ana).events
    assert onward.customer_id == "c_final"
    final = after(onward, customer=Customer(customer_id="c_final"))
    assert final.customer.absorbed == [VISITOR_ID]


def test_a_pointer_has_no_timers_and_merges_no_more(pointer):
    timer = fired(VISITOR_ID, 0, pointer.customer.clock_ms + DAY_MS)
    assert timer.type == "timer_fired"
    assert after(timer, customer=pointer.customer).events == []
    again = merge_of(VISITOR_ID, "c_other", offset=1)
    assert after(again, customer=pointer.customer).customer.merged_into == ANA_ID


def test_a_reaction_after_a_snapshot_is_the_reaction_without_it():
    customer = after(touch(OrderPlaced), touch(id="e2", origin_offset=1)).customer
    assert decode(encode(customer)) == customer
    one, two = (after(touch(id="e3", origin_offset=2), customer=each)
                for each in (customer, decode(encode(customer))))  # fmt: skip
    assert told(one) == told(two)


def test_each_change_is_a_version_of_its_own():
    customer = after(touch()).customer
    newer = after(touch(id="e2", origin_offset=1), customer=customer).customer
    assert newer.version == customer.version + 1
