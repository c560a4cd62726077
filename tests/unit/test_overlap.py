"""What an example counts: the share of its window that no earlier one of the customer covers."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.customer import Customer, Pending, decode, encode
from models.horizon import SILENCE
from models.judge import Judge
from models.judgement import absorb, judged, note
from models.labels import joined, mature
from models.overlap import LEAST, weight
from models.records import NO_FEATURES, Example
from models.rhythm import DAY_MS

T0 = 1_780_000_000_000
JUDGE = Judge.untrained()


def at(day):
    return T0 + int(day * DAY_MS)


def visited(*days):
    customer = Customer(customer_id="c_1")
    for day in days:
        customer = note(customer, "order_placed", at(day))
        customer = judged(customer, at(day), at(day), f"e{day}", JUDGE, touch=True).customer
    return customer


def waiting(day, horizon=f"{SILENCE}-30/1", days=30):
    return Pending(at(day), at(day + days), 0.5, 0, NO_FEATURES, horizon)


@pytest.mark.parametrize(
    ("covered", "share"),
    [(0, 1.0), (100, 1.0), (115, 0.5), (129, 0.033333), (130, LEAST), (400, LEAST)],
)
def test_it_is_what_lies_behind_the_earlier_windows(covered, share):
    assert weight(100, 130, covered) == share


@given(
    st.integers(1, 40),
    st.lists(st.integers(0, 1_000), min_size=1, max_size=40, unique=True).map(sorted),
)
def test_what_is_counted_sums_to_the_time_that_was_seen(horizon, times):
    weights, covered = [], 0
    for moment in (1 + time for time in times):
        weights.append(weight(moment, moment + horizon, covered))
        covered = moment + horizon
    seen = len({time + day for time in times for day in range(horizon)}) / horizon
    # One that brings less than LEAST is counted as that.
    assert seen - 1e-4 <= sum(weights) <= seen + LEAST * len(times)


def test_the_stream_counts_a_prediction_by_what_is_new_in_its_window():
    customer = visited(0, 10, 12, 35)
    assert [p.weight for p in customer.pending] == [round(1 / 3, 6), 0.833333]  # of 10 and 35
    assert visited(0, 31).pending[0].weight == 1.0  # nothing waits any more


def test_the_example_says_what_its_prediction_was_counted():
    _, examples = mature(visited(0, 10), at(100), JUDGE.catalogue)
    assert [(e.at_ms, e.weight) for e in examples] == [(at(0), 1.0), (at(10), 0.333333)]


def test_predictions_of_something_else_cover_nothing():
    contract = waiting(0, "contract-30/1")
    assert joined([contract], [waiting(10)]) == [contract, waiting(10)]


def test_what_two_names_of_one_customer_both_predicted_counts_once():
    ours, theirs = visited(0, 20), visited(5, 21)
    both = absorb(ours, theirs, at(22), at(22), "m").customer
    found = [(round((p.at_ms - T0) / DAY_MS), p.weight) for p in both.pending]
    assert found == [(0, 1.0), (5, 0.166667), (20, 0.5), (21, 0.033333)]


def test_a_merge_lets_nothing_count_more_than_before():
    again = [msgspec.structs.replace(waiting(40), weight=0.25)]  # what it lay behind is released
    assert joined(again, []) == again


def test_what_was_written_before_there_were_weights_counts_in_full():
    customer = visited(0, 10)
    old = msgspec.json.decode(encode(customer))
    for p in old["pending"]:
        p.pop()
    assert [p.weight for p in decode(msgspec.json.encode(old)).pending] == [1.0, 1.0]
    _, [example, _] = mature(customer, at(100), JUDGE.catalogue)
    written = msgspec.json.decode(msgspec.json.encode(example))
    del written["weight"]
    assert msgspec.json.decode(msgspec.json.encode(written), type=Example).weight == 1.0
