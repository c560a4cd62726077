"""A customer given to `react` stays what it was: a batch that is refused leaves no trace."""

from hypothesis import given, settings
from hypothesis import strategies as st

from models.customer import Customer, decode, encode
from models.events import CustomerMerged, decode_event, encode_event
from models.judge import Judge
from models.react import Position, react
from models.timers import fired
from tests.support.histories import NOON, histories

JUDGE = Judge.untrained()


def merge_of(loser):
    return CustomerMerged(
        event_id="merged:l", occurred_at=NOON, received_at=NOON, customer_id=loser,
        winner="c_winner", loser=loser, link_id="l",
    )  # fmt: skip


def logged(event):
    return decode_event(encode_event(event))


def one_customer(history):
    """Return a history as the log has it for one customer, who then falls silent and loses."""
    told = [
        logged(one.model_copy(update={"customer_id": "c_1", "origin": "t/0", "origin_offset": n}))
        for n, one in enumerate(history)
    ]
    now_ms = max(one.received_ms for one in told) + 4_000 * 86_400_000
    return [*told, logged(fired("c_1", now_ms, now_ms)), logged(merge_of("c_1")), *told[:2]]


@settings(max_examples=40, deadline=None)
@given(histories(min_size=1, max_size=12))
def test_a_reaction_leaves_the_customer_it_was_given_as_it_was(history):
    customer = Customer(customer_id="c_1")
    for offset, event in enumerate(one_customer(history)):
        before = encode(customer)
        reaction = react(customer, event, Position("events", 0, offset), JUDGE)
        assert encode(customer) == before
        customer = reaction.customer
    assert customer.merged_into == "c_winner"


@settings(max_examples=40, deadline=None)
@given(histories(min_size=1, max_size=12), st.data())
def test_a_batch_that_is_refused_is_reacted_to_alike_the_second_time(history, data):
    whole = one_customer(history)[: len(history) + 1]  # a pointer has nothing left to compare
    log = [(Position("events", 0, n), one) for n, one in enumerate(whole)]
    cut = data.draw(st.integers(0, len(log)))
    customer = Customer(customer_id="c_1")
    for at, event in log[:cut]:
        customer = react(customer, event, at, JUDGE).customer
    kept = again = customer  # as it stays decoded when its batch is refused
    read = decode(encode(customer))
    for at, event in log[cut:]:
        customer = react(customer, event, at, JUDGE).customer
        read = react(read, event, at, JUDGE).customer
    for at, event in log[cut:]:
        again = react(again, event, at, JUDGE).customer
    assert encode(again) == encode(customer) == encode(read)
    assert kept == decode(encode(kept))


@settings(max_examples=40, deadline=None)
@given(histories(max_size=8), histories(min_size=1, max_size=8))
def test_what_a_winner_absorbs_is_its_own(ours, theirs):
    winner, loser = Customer(customer_id="c_winner"), Customer(customer_id="c_1")
    for offset, event in enumerate(one_customer(theirs)[: len(theirs)]):
        loser = react(loser, event, Position("events", 0, offset), JUDGE).customer
    for offset, one in enumerate(ours):
        event = logged(one.model_copy(update={"customer_id": "c_winner"}))
        winner = react(winner, event, Position("events", 1, offset), JUDGE).customer
    given_up = react(loser, logged(merge_of("c_1")), Position("events", 0, 99), JUDGE)
    before, pointer = encode(winner), encode(given_up.customer)
    (absorbed,) = map(logged, given_up.events)
    after = react(winner, absorbed, Position("events", 1, 99), JUDGE).customer
    assert after.absorbed == ["c_1"]
    assert (encode(winner), encode(given_up.customer)) == (before, pointer)
