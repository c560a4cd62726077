"""When a customer's silence is worth an event."""

from models.customer import Customer, encode
from models.regroup import observed_until
from models.timers import LATE_MS, Alarms, Waiting, fired, waiting, wake_ms
from tests.support.histories import NOON, event

HOUR = 3_600_000


def test_a_customer_is_woken_when_the_first_timer_is_due():
    assert wake_ms(Waiting(customer_id="c", timers={"silence": 9, "label": 7}), 0) == 7
    assert wake_ms(Waiting(customer_id="c"), 0) is None


def test_history_read_in_waits_until_no_more_of_it_comes():
    read_in = Waiting(customer_id="c", clock_ms=0, received_ms=LATE_MS + 1, timers={"silence": 5})
    assert wake_ms(read_in, 600) == LATE_MS + 601
    later = Waiting(customer_id="c", received_ms=LATE_MS + 1, timers={"silence": 10 * LATE_MS})
    assert wake_ms(later, 600) == 10 * LATE_MS


def test_what_the_alarm_depends_on_is_read_without_the_rest():
    customer = Customer(customer_id="c", clock_ms=4, received_ms=5, timers={"silence": 6})
    expected = Waiting(customer_id="c", clock_ms=4, received_ms=5, timers={"silence": 6})
    assert waiting(encode(customer)) == expected


def test_alarms_come_in_order_and_once():
    alarms = Alarms()
    for key, wake in ((b"a", 30), (b"b", 10), (b"c", 20), (b"d", 99)):
        alarms.set(key, wake)
    assert alarms.due(30, limit=2) == [(10, b"b"), (20, b"c")]
    assert alarms.due(30, limit=2) == [(30, b"a")]
    assert alarms.due(30, limit=2) == []
    assert len(alarms) == 1


def test_an_alarm_set_again_moves():
    alarms = Alarms()
    alarms.set(b"a", 10)
    alarms.set(b"a", 50)
    assert alarms.due(20, limit=9) == []
    assert alarms.due(60, limit=9) == [(50, b"a")]


def test_an_alarm_taken_away_does_not_come():
    alarms = Alarms()
    alarms.set(b"a", 10)
    alarms.set(b"a", None)
    assert alarms.due(99, limit=9) == []


def test_a_timer_event_follows_from_customer_and_due_time():
    event = fired("c_1", 5, 7)
    assert (event.event_id, event.customer_id, event.due_ms) == ("timer:c_1:5", "c_1", 5)
    assert event.occurred_ms == event.received_ms == 7


def test_a_backfill_ends_where_the_latest_word_says_until_something_newer_is_live():
    live, told = event(), event(observed_until=NOON)
    end = told.observed_until_ms
    assert [observed_until(before, told, 0) for before in (None, end - 1, end + 1)] == [
        end, end, end + 1,
    ]  # fmt: skip
    assert [observed_until(end, live, now) for now in (end, end + 1)] == [end, None]
    assert observed_until(None, live, 0) is None
