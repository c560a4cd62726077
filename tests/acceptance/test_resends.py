"""What a client sends again without saying when is one event: in the profile and in the tables."""

import time

import pytest

from tests.support.waiting import until

pytestmark = pytest.mark.stack


def test_an_event_without_a_time_sent_twice_is_counted_once_everywhere(system):
    order = {
        "userId": "twice",
        "event": "Order Completed",
        "messageId": "twice-1",
        "properties": {
            "order_id": "twice-o1",
            "total": 59.00,
            "currency": "USD",
            "products": [{"product_id": "sku-1", "name": "Shoes", "price": 59.00, "quantity": 1}],
        },
    }
    for _ in range(2):
        assert system.ingest.post("/v1/track", json=order).status_code == 200
        time.sleep(1.1)  # another time of receipt, and so another time of the event
    sql = "SELECT count(), uniqExact(occurred_at) FROM log FINAL WHERE event_id = 'twice-1'"
    until(lambda: system.rows(sql) == [(2, 2)], 60, "both tries in the log")
    for table in ("touchpoints", "order_lines"):  # they are written after the log
        there = f"SELECT count() FROM {table} FINAL WHERE event_id = 'twice-1'"
        until(lambda sql=there: system.rows(sql) != [(0,)], 60, table)
        assert system.rows(there) == [(1,)], table
    assert system.becomes("user_id:twice", lambda one: one["computed"]["events"])
    assert system.profile("user_id:twice")["computed"]["orders"] == 1
