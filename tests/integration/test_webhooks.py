"""Alerts out of a real worker: signed, retried, each under one id, never by a replay."""

from collections import Counter
from threading import Event

import msgspec
import pytest

from models.records import Delivery
from models.topics import ALERTS, DELIVERIES
from tests.support.alerts import alert, outcomes
from tests.support.kafka_log import read_all, send
from tests.support.receiver import receiving
from tests.support.waiting import until

pytestmark = pytest.mark.stack

COUNT = 20
PATIENCE = 120  # seconds; a busy machine takes most of them to start a worker
SECRET = "whsec_dGVzdC13ZWJob29rLXNlY3JldC0wMTIzNDU2Nzg5"


def deliveries(settings):
    return [
        msgspec.json.decode(record.value, type=Delivery)
        for record in read_all(settings.brokers, settings.topic(DELIVERIES))
    ]


@pytest.fixture
def hooked(kafka_settings):
    """Settings of a worker that calls a receiver on loopback, and retries quickly."""

    def to(url, **over):
        given = {"webhook_url": url, "webhook_allow_private": True, "webhook_retry_seconds": 0.2}
        return kafka_settings.model_copy(update=given | over)

    return to


def test_a_receiver_that_fails_then_works_gets_each_alert_with_one_id(hooked, start_part):
    with receiving(SECRET, lambda n: 503 if n < COUNT * 2 else 204) as receiver:
        settings = hooked(receiver.url)
        start_part(settings, "streams")
        send(settings.brokers, settings.topic(ALERTS), [alert(n) for n in range(COUNT)])
        until(lambda: outcomes(settings) == {"delivered": COUNT}, PATIENCE, "all delivered")
        ids = {f"churn_risk:c_{n}:1:opened" for n in range(COUNT)}
        assert {id for id, _, _ in receiver.calls} == ids
        assert Counter(receiver.accepted()) == dict.fromkeys(ids, 1)
        bodies = {id: event["data"] for id, _, event in receiver.calls}
        assert bodies["churn_risk:c_7:1:opened"]["identifiers"] == ["user_id:7"]
        ledger = deliveries(settings)
        assert Counter(made.status for made in ledger)["delivered"] == COUNT
        assert len({made.delivery_id for made in ledger}) == len(ledger) == len(receiver.calls)


def test_a_replay_of_the_alerts_delivers_nothing_again(hooked, start_part):
    with receiving(SECRET) as receiver:
        settings = hooked(receiver.url)
        worker = start_part(settings, "streams")
        alerts = [alert(n) for n in range(COUNT)]
        send(settings.brokers, settings.topic(ALERTS), alerts)
        until(lambda: len(receiver.calls) == COUNT, PATIENCE, "all delivered")
        until(lambda: outcomes(settings) == {"delivered": COUNT}, PATIENCE, "all written down")
        worker.stop()
        # The whole topic again, then one that is new: when that has come, nothing else will.
        send(settings.brokers, settings.topic(ALERTS), [*alerts, alert(99, age_hours=30)])
        send(settings.brokers, settings.topic(ALERTS), [alert(100)])
        start_part(settings, "streams")
        until(
            lambda: outcomes(settings) == {"delivered": COUNT + 1, "expired": 1},
            PATIENCE,
            "the new",
        )
        assert len(receiver.calls) == COUNT + 1
        assert [m.alert_id for m in deliveries(settings) if m.status == "expired"] == [
            "churn_risk:c_99:1:opened"
        ]


def test_what_was_under_way_when_the_worker_was_killed_is_delivered_by_the_next(hooked, start_part):
    killed = Event()  # before that nothing is delivered, however quick the worker
    with receiving(SECRET, lambda n: 204 if killed.is_set() else 500) as receiver:
        settings = hooked(receiver.url)
        worker = start_part(settings, "streams")
        send(settings.brokers, settings.topic(ALERTS), [alert(n) for n in range(COUNT)])
        until(lambda: len(receiver.calls) >= 5, PATIENCE, "some attempts")
        worker.kill()
        killed.set()
        start_part(settings, "streams")
        until(lambda: outcomes(settings) == {"delivered": COUNT}, PATIENCE, "all delivered")
        assert set(receiver.accepted()) == {f"churn_risk:c_{n}:1:opened" for n in range(COUNT)}


def test_a_private_address_is_never_called_and_the_ledger_says_so(hooked, start_part):
    with receiving(SECRET) as receiver:
        https = receiver.url.replace("http://", "https://")
        settings = hooked(https, webhook_allow_private=False)
        start_part(settings, "streams")
        send(settings.brokers, settings.topic(ALERTS), [alert(1)])
        until(lambda: outcomes(settings) == {"failed": 1}, PATIENCE, "refused")
        assert receiver.calls == []
        [made] = deliveries(settings)
        assert (made.status, made.attempt, made.http_status) == ("failed", 1, None)
        assert "not public" in made.error


def test_a_destination_that_is_gone_is_called_no_more(hooked, start_part):
    with receiving(SECRET, lambda n: 410) as receiver:
        settings = hooked(receiver.url)
        start_part(settings, "streams")
        send(settings.brokers, settings.topic(ALERTS), [alert(1)])
        until(lambda: outcomes(settings) == {"failed": 1}, PATIENCE, "the first")
        send(settings.brokers, settings.topic(ALERTS), [alert(n) for n in range(2, 6)])
        until(lambda: outcomes(settings) == {"failed": 5}, PATIENCE, "the others")
        assert len(receiver.calls) == 1


def test_a_worker_that_cannot_sign_stops_and_says_which_setting_is_missing(hooked, start_part):
    from pydantic import SecretStr

    worker = start_part(hooked("https://example.com/", webhook_secret=SecretStr("")), "streams")
    assert worker.process.wait(PATIENCE) == 78
    assert "C360_WEBHOOK_SECRET" in worker.tail()
