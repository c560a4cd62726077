"""Folding with a judge who says nothing gives what the log alone decides, and nothing else."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from models.customer import JUDGED, Customer
from models.events import CustomerMerged, encode_event, made
from models.judge import Judge
from models.react import Position, react
from models.replay import replay
from models.timers import fired
from models.visits import Rhythm
from tests.support.histories import NOON, histories


def told(customer: Customer) -> Customer:
    """Leave out what follows from models and not from the log."""
    nobody = Customer(customer_id="")
    return replace(customer, **{name: getattr(nobody, name) for name in JUDGED})


@settings(max_examples=60, deadline=None)
@given(histories(min_size=1), st.lists(st.integers(0, 1), min_size=40, max_size=40), st.data())
def test_what_the_log_alone_decides_does_not_depend_on_the_judge(events, whose, data):
    names = ["c_a", "c_b"]
    log = [
        one.model_copy(update={"customer_id": names[to], "origin": "touchpoints/0"} | at(number))
        for number, (one, to) in enumerate(zip(events, whose, strict=False))
    ]
    merge = made(
        CustomerMerged, event_id="m", occurred_at=NOON, received_at=NOON, customer_id="c_a",
        origin="identity-links/0", origin_offset=0, winner="c_b", loser="c_a", link_id="l",
    )  # fmt: skip
    log.insert(data.draw(st.integers(0, len(log))), merge)
    rang = fired("c_b", log[0].received_ms + 10**9, log[0].received_ms + 2 * 10**9)
    log.insert(data.draw(st.integers(0, len(log))), rang)
    records = [(Position("events", 0, offset), encode_event(one)) for offset, one in enumerate(log)]
    loud, mute = (replay(records, judge) for judge in (Judge.untrained(), Judge.mute()))
    assert {name: told(one) for name, one in loud.items()} == mute


def at(offset):
    return {"origin_offset": offset}


@given(histories(min_size=1, max_size=5))
def test_a_mute_judge_lets_nothing_out(events):
    customer = Customer(customer_id="c_a", rhythm=Rhythm())
    for offset, one in enumerate(events):
        reaction = react(customer, one, Position("events", 0, offset), Judge.mute())
        out = (reaction.scores, reaction.decisions, reaction.alerts, reaction.examples)
        assert out == ([], [], [], [])
        customer = reaction.customer
    assert customer == told(customer)
