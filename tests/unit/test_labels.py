"""Predictions wait for the truth: thinned, released at the horizon, censored."""

from itertools import pairwise

from msgspec.structs import replace

from models.catalogue import Catalogue
from models.customer import Customer
from models.judge import Judge
from models.judgement import absorb, judged, note, wakes
from models.labels import CHECKPOINT_DAYS, MAX_PENDING, acted, mature
from models.rhythm import DAY_MS

T0 = 1_780_000_000_000
JUDGE = Judge.untrained()


def at(day):
    return T0 + int(day * DAY_MS)


def touched(customer, day, kind="order_placed"):
    return judged(note(customer, kind, at(day)), at(day), at(day), f"e{day}", JUDGE, touch=True)


def start(*days, **over):
    customer, examples = Customer(customer_id="c_1", **over), []
    for day in days:
        made = touched(customer, day)
        customer, examples = made.customer, examples + made.examples
    return customer, examples


def run_timers(customer, until):
    examples, looks = [], []
    while wakes(customer, JUDGE) and (due := min(wakes(customer, JUDGE).values())) <= at(until):
        made = judged(customer, due, due, f"t{due}", JUDGE, touch=False)
        customer, examples = made.customer, examples + made.examples
        looks += [round((score.at_ms - T0) / DAY_MS) for score in made.scores]
    return customer, examples, looks


def test_a_label_is_not_released_before_the_horizon_even_when_the_customer_returns():
    customer, examples = start(0, 10, 29)
    assert examples == []
    assert customer.pending[0].met_ms == at(10)


def test_who_returned_and_who_stayed_away_are_both_released_at_the_horizon():
    _, back = start(0, 10, 31)
    assert [(e.label, e.label_ms) for e in back] == [(0.0, at(30))]
    _, gone, _ = run_timers(start(0)[0], 30)
    assert [(e.label, e.label_ms) for e in gone] == [(1.0, at(30))]


def test_an_example_carries_the_features_and_the_probability_of_its_moment():
    made = touched(Customer(customer_id="c_1"), 0)
    _, examples, _ = run_timers(made.customer, 30)
    assert examples[0].features == made.scores[0].features
    assert examples[0].probability == made.scores[0].probability
    assert examples[0].at_ms == at(0)


def test_what_is_said_of_a_past_while_it_is_read_in_is_told_apart():
    now = at(400)
    late = judged(Customer(customer_id="c_1"), at(0), now, "late", JUDGE, touch=True).customer
    [told] = judged(late, at(30), now, "timer", JUDGE, touch=False).examples
    assert told.past
    _, [live], _ = run_timers(start(0)[0], 30)
    assert not live.past


def test_a_return_on_the_last_day_counts_and_one_at_the_horizon_does_not():
    assert start(0, 29.999, 31)[1][0].label == 0.0
    # Days without hours are common in files: the timer and the contact fall together.
    assert start(0, 30)[1][0].label == 1.0
    assert mature(note(start(0)[0], "order_placed", at(30)), at(30), Catalogue())[1][0].label == 1.0


def test_a_late_event_corrects_a_label_that_still_waits():
    customer, _ = start(0)
    late = note(replace(customer, clock_ms=at(25)), "order_placed", at(20))
    _, examples = mature(late, at(30), Catalogue())
    assert examples[0].label == 0.0


def test_a_label_due_beyond_the_end_of_the_data_is_not_waited_for():
    assert start(0, observed_until_ms=at(29))[0].pending == []


def test_labels_due_after_an_end_that_became_known_later_are_dropped():
    customer, _ = start(0)
    after, examples = mature(replace(customer, observed_until_ms=at(29)), at(400), Catalogue())
    assert (after.pending, examples) == ([], [])


def test_labels_due_within_the_data_are_kept():
    customer, _ = start(0, observed_until_ms=at(30))
    assert len(mature(customer, at(400), Catalogue())[1]) == 1


def test_acting_counts_from_the_prediction_until_its_horizon():
    [waiting] = start(0)[0].pending
    times = (at(0) - 1, at(0), at(30) - 1, at(30))
    assert [acted([waiting], moment)[0].acted for moment in times] == [False, True, True, False]


def test_predictions_that_wait_are_few_and_spread_over_the_horizon():
    often, _ = start(*(hour / 24 for hour in range(0, 29 * 24, 7)))
    waits = [p.at_ms for p in often.pending]
    assert len(waits) == MAX_PENDING
    assert all(b - a >= 30 * DAY_MS / MAX_PENDING for a, b in pairwise(waits))
    assert waits[-1] > at(26)


def test_silence_is_looked_at_on_its_checkpoints_and_then_no_more():
    customer, _, looks = run_timers(start(0, 20, 40)[0], 10_000)
    assert looks == [40 + day for day in CHECKPOINT_DAYS]
    assert wakes(customer, JUDGE) == {}


def test_a_contact_starts_the_checkpoints_anew():
    customer, _, _ = run_timers(start(0)[0], 20)
    again = touched(customer, 21).customer
    assert min(wakes(again, JUDGE).values()) == at(28)


def test_a_merge_keeps_both_sides_labels_within_bounds():
    a, _ = start(*range(0, 21, 4))
    b, _ = start(*range(1, 21, 4))
    assert len(a.pending) + len(b.pending) > MAX_PENDING
    both = absorb(a, b, at(20), at(20), "m").customer
    assert len(both.pending) == MAX_PENDING
    assert both.rhythm.visits == a.rhythm.visits + b.rhythm.visits
