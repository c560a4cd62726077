"""Listeners to changes: bounded, told of gaps, able to come back."""

import asyncio

from projections.live_changes import Changes


def told(subscription):
    return asyncio.run(subscription.take(0.01))


def test_a_listener_hears_of_its_customers_only():
    changes = Changes("e")
    with changes.subscribe(["c_1"]) as one, changes.subscribe() as everyone:
        changes.publish([("c_1", 1), ("c_2", 1)])
        assert [change.customer_id for change in told(one)] == ["c_1"]
        assert [change.customer_id for change in told(everyone)] == ["c_1", "c_2"]
    assert len(changes) == 0


def test_of_a_customer_that_changes_often_only_the_newest_waits():
    changes = Changes("e")
    with changes.subscribe(["c_1"], capacity=1) as one:
        changes.publish([("c_1", version) for version in range(1_000)])
        assert [change.version for change in told(one)] == [999]
        assert not one.gap


def test_a_slow_listener_loses_the_oldest_and_is_told_of_the_gap():
    changes = Changes("e")
    with changes.subscribe(capacity=2) as slow:
        changes.publish([("c_1", 1), ("c_2", 1), ("c_3", 1)])
        assert slow.gap
        assert [change.customer_id for change in told(slow)] == ["c_2", "c_3"]


def test_who_comes_back_hears_what_followed():
    changes = Changes("e")
    changes.publish([("c_1", 1), ("c_2", 1), ("c_1", 2)])
    with changes.subscribe(after="e-1") as back:
        assert [change.sequence for change in told(back)] == [2, 3]
    with changes.subscribe(["c_1"], after="e-1") as back:
        assert [change.version for change in told(back)] == [2]
    with changes.subscribe(after="e-3") as back:
        assert not back.gap


def test_who_comes_back_to_another_process_or_too_late_is_told_of_the_gap():
    changes = Changes("e")
    changes.publish([(f"c_{n}", 1) for n in range(10_005)])
    for after in ("other-3", "e-2", "e-99999999", "nonsense", "e-"):
        with changes.subscribe(after=after) as back:
            assert back.gap, after


def test_closing_ends_every_subscription():
    changes = Changes("e")
    with changes.subscribe() as one, changes.subscribe(["c_1"]) as two:
        changes.close()
        assert told(one) == told(two) == []
        assert one.closed
        assert two.closed
