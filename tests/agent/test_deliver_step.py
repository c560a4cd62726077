"""Alerts are taken into the outbox once, whoever sends them again."""

import time

import msgspec

from models.delivery import Entry
from models.records import Delivery
from models.topics import DELIVERIES
from streams.deliver import take
from streams.lane import Batch, Outbox, Record, View
from tests.support.alerts import alert

NOW = time.time_ns() // 1_000_000


def taken(told, stored=None):
    view, sent = View(stored or {}), Outbox()
    records = tuple(Record(at, key, value) for at, (key, value) in enumerate(told))
    take(Batch("alerts", 0, records), view, sent, NOW)
    return view.changes, sent


def test_a_new_alert_is_pending_and_due_at_once():
    changes, sent = taken([alert(1)])
    [(key, value)] = changes.items()
    entry = msgspec.json.decode(value, type=Entry)
    assert key == b"churn_risk:c_1:1:opened"
    assert (entry.status, entry.due_ms, entry.alert.customer_id) == ("pending", NOW, "c_1")
    assert len(sent) == 0


def test_an_alert_that_comes_twice_is_taken_once():
    once, _ = taken([alert(1), alert(1)])
    assert len(once) == 1
    assert taken([alert(1)], once)[0] == {}


def test_an_alert_that_is_done_is_not_taken_again_by_a_replay():
    done = msgspec.json.encode(Entry(status="delivered", due_ms=1, attempts=1))
    assert taken([alert(1)], {b"churn_risk:c_1:1:opened": done})[0] == {}


def test_old_news_expires_and_the_ledger_is_told():
    changes, sent = taken([alert(1, age_hours=25)])
    [value] = changes.values()
    assert msgspec.json.decode(value, type=Entry).status == "expired"
    [message] = sent.messages
    assert (message.topic, message.key) == (DELIVERIES, b"c_1")
    assert msgspec.json.decode(message.value, type=Delivery).status == "expired"


def test_an_alert_nobody_can_read_is_buried():
    changes, sent = taken([(b"c_1", b"{"), (b"c_1", None), alert(2)])
    assert len(changes) == 1
    assert [message.topic.name for message in sent.messages] == ["dead-letters"] * 2
