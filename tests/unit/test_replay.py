"""A log in, every customer out."""

from models.events import CustomerIdentified, CustomerMerged, Identifier, encode_event, made
from models.identity import customer_id_of, identify
from models.judge import Judge
from models.links import Merge, links_of, merged
from models.react import Position
from models.replay import replay
from tests.support.histories import ANA, NOON, event

JUDGE = Judge.untrained()
VISITOR = Identifier(type="anonymous_id", value="a-1")
ANA_ID, VISITOR_ID = customer_id_of(ANA), customer_id_of(VISITOR)


def log_of(*events, partition=0):
    return [
        (
            Position("events", partition, offset),
            one if isinstance(one, bytes) else encode_event(one),
        )
        for offset, one in enumerate(events)
    ]


def joined():
    """A visitor's page view, the link to Ana, the merge, and a late page view of the visitor."""
    seen = identify(event(id="e1", who=(VISITOR,)), "touchpoints/0", 0)
    told = identify(event(CustomerIdentified, id="e2", who=(ANA, VISITOR)), "touchpoints/0", 1)
    late = identify(event(id="e3", who=(VISITOR,)), "touchpoints/0", 2)
    (link,) = links_of(told)
    return seen, told, merged(link, Merge(VISITOR_ID, ANA_ID), "identity-links/0", 0), late


def test_what_the_fold_had_still_to_send_is_made_where_the_log_ends():
    customers = replay(log_of(*joined()), JUDGE)
    assert customers[VISITOR_ID].merged_into == ANA_ID
    assert customers[ANA_ID].profile.events == 3
    assert customers[ANA_ID].absorbed == [VISITOR_ID]


def test_a_log_folded_twice_gives_the_same_customers():
    assert replay(log_of(*joined()), JUDGE) == replay(log_of(*joined()), JUDGE)


def test_what_is_no_event_or_nobodys_changes_no_customer():
    assert replay(log_of(b"{}", b"junk", encode_event(event())), JUDGE) == {}


def test_what_two_pointers_have_still_to_send_on_reaches_one_customer():
    def merge(loser, winner, offset):
        return made(
            CustomerMerged, event_id=f"m{offset}", occurred_at=NOON, received_at=NOON,
            customer_id=loser, winner=winner, loser=loser, link_id=f"l{offset}",
        )  # fmt: skip

    def seen(customer_id):
        return event(id=customer_id).model_copy(update={"customer_id": customer_id})

    merges = (merge("c_1", "c_w", 0), merge("c_2", "c_w", 1))
    chained = (seen("c_3"), seen("c_4"), merge("c_4", "c_2", 2), merge("c_3", "c_1", 3))
    customers = replay(log_of(*merges, *chained), JUDGE)
    assert customers["c_w"].profile.events == 2
