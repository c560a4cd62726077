"""How far a past that is read in has come, from what is read alone."""

from random import Random

from models.rhythm import DAY_MS
from models.timers import LATE_MS, Alarms, Waiting, held_ms, past_ms
from models.watermark import ALLOWANCE_MS, ENDED, LEAST, WINDOW, Watermark

NOW, GRACE, HOUR = 10_000 * DAY_MS, 600_000, 3_600_000


def read(*days, origin="touchpoints/0", into=None, now=NOW):
    mark = into or Watermark()
    for day in days:
        mark.note(origin, int(day * DAY_MS), now)
    return mark


def reached(mark, now=NOW):
    at = mark.reached(now, GRACE)
    return None if at is None else (at + ALLOWANCE_MS) / DAY_MS


def test_it_is_not_known_before_enough_of_each_origin_was_read():
    mark = read(*range(WINDOW - 1))
    assert reached(mark) is None
    assert reached(read(WINDOW, into=mark)) is not None
    read(3, origin="touchpoints/1", into=mark)
    assert reached(mark) is None


def test_a_past_in_order_of_time_is_reached_a_window_behind():
    mark = read(*range(500))
    assert reached(mark) == 500 - WINDOW


def test_a_late_event_holds_it_up_for_a_window():
    late = read(*range(480), 3)
    assert reached(late) == 3
    assert reached(read(*range(480, 480 + WINDOW - 1), into=late)) == 3
    assert reached(read(1_000, into=late)) == 480


def test_of_several_origins_the_one_farthest_back_counts_until_it_is_at_its_end():
    mark = read(*range(500))
    read(*range(100), origin="touchpoints/1", into=mark)
    assert reached(mark) < 100
    read(*range(500, 600), into=mark, now=NOW + GRACE + 1)
    assert reached(mark, NOW + GRACE) < 100
    assert reached(mark, NOW + GRACE + 1) > 500


def test_an_origin_that_gives_nothing_while_others_give_many_holds_up_nobody():
    mark = read(*range(100), origin="touchpoints/1")
    read(*[500] * (ENDED - 1), into=mark)
    assert reached(mark) < 100
    read(500, 500, into=mark)
    assert reached(mark) == 500


def test_many_origins_need_few_events_each():
    mark = Watermark()
    for number in range(200):
        read(*range(number, number + LEAST), origin=f"touchpoints/{number}", into=mark)
    assert reached(mark) == 0


def test_a_past_in_no_order_stays_at_its_beginning():
    rng = Random(5)
    mark = Watermark()
    for _ in range(2_000):
        read(rng.random() * 700, into=mark)
        assert (reached(mark) or 0) < 100


def test_after_a_pause_nothing_is_known():
    mark = read(*range(500))
    assert mark.reached(NOW + GRACE, GRACE) is not None
    assert mark.reached(NOW + GRACE + 1, GRACE) is None
    assert mark.read_ms() is None


def test_only_who_is_read_in_waits_for_the_past():
    timers = {"silence": 9, "label": 7}
    assert past_ms(Waiting(customer_id="c", received_ms=LATE_MS, timers=timers)) is None
    assert past_ms(Waiting(customer_id="c", received_ms=LATE_MS + 1, timers=timers)) == 7
    assert past_ms(Waiting(customer_id="c", received_ms=LATE_MS + 1)) is None


def test_while_a_past_goes_on_silence_is_not_taken_for_silence_though_not_for_ever():
    live = Waiting(customer_id="c", clock_ms=NOW, received_ms=NOW)
    assert held_ms(live, NOW, GRACE) == 0
    read_in = Waiting(customer_id="c", clock_ms=0, received_ms=NOW)
    assert held_ms(read_in, NOW + 5 * HOUR, GRACE) == NOW + 5 * HOUR + GRACE
    assert held_ms(read_in, NOW + 50 * HOUR, GRACE) == NOW + 24 * HOUR
    assert held_ms(read_in, NOW + 50 * HOUR, 60 * HOUR) == NOW + 60 * HOUR


def test_alarms_that_are_moved_again_and_again_leave_no_heap_behind():
    alarms = Alarms()
    for wake in range(20_000):
        alarms.set(b"a", wake)
        alarms.set(b"b", 5)
    assert len(alarms._heap) < 2_000
    assert alarms.due(30_000, limit=9) == [(5, b"b"), (19_999, b"a")]
