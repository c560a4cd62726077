"""The profile API as a process of its own, following the real broker."""

import json
import threading
import time
from urllib.parse import quote

import httpx
import pytest
from kafka import KafkaProducer

from models.customer import encode
from models.dead_letter import headers_of
from models.errors import Reason, TouchpointRejectedError
from models.naming import derive
from models.topics import DEAD_LETTERS, PROFILES, TOUCHPOINTS
from tests.support.customers import ANA, customer, rich
from tests.support.kafka_log import send
from tests.support.waiting import until

pytestmark = pytest.mark.stack

KEY = {"Authorization": "Bearer test-api-key"}


def put(settings, *customers):
    """Write customers to `profiles`, as the fold does."""
    messages = [(one.customer_id.encode(), encode(one)) for one in customers]
    send(settings.brokers, settings.topic(PROFILES), messages)


def client(settings):
    base = f"http://127.0.0.1:{settings.serve_port}"
    return httpx.Client(base_url=base, headers=KEY, timeout=60)


def ready(http):
    try:
        return http.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def serving(kafka_settings, start_part):
    """Start the server over one customer's history; return settings, client and process."""
    put(kafka_settings, rich())
    part = start_part(kafka_settings, "projections.serve")
    with client(kafka_settings) as http:
        until(lambda: ready(http), 120, part.tail())
        yield kafka_settings, http, part


def test_the_history_is_there_when_it_is_ready_and_changes_follow(serving):
    settings, http, _ = serving
    assert http.get(f"/v1/profiles/{ANA}").json()["version"] == 12
    put(settings, rich(version=13, received_ms=time.time_ns() // 1_000_000))
    until(lambda: http.get(f"/v1/profiles/{ANA}").json()["version"] == 13)
    freshness = http.get("/v1/stats").json()["freshness"]
    assert freshness["p50_ms"] > 0


def test_a_tombstone_erases(serving):
    settings, http, _ = serving
    send(settings.brokers, settings.topic(PROFILES), [(derive(ANA).encode(), None)])
    until(lambda: http.get(f"/v1/profiles/{ANA}").status_code == 404)


def test_a_reader_waits_for_its_own_write(serving):
    settings, http, _ = serving
    path = f"/v1/profiles/{ANA}?wait_for=touchpoints/3:500&timeout=30"
    answers = []
    reader = threading.Thread(target=lambda: answers.append(http.get(path)))
    reader.start()
    put(settings, rich(version=13, applied={"touchpoints/3": 499}))
    put(settings, rich(version=14, applied={"touchpoints/3": 500}))
    reader.join()
    assert answers[0].json()["version"] == 14


def test_a_stream_tells_changes_and_resumes_where_it_broke_off(serving):
    settings, http, part = serving
    path = f"/v1/changes?customer={quote(ANA)}"
    with http.stream("GET", path) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 1000"
        put(settings, customer("user_id:other"), rich(version=13))
        event_id, version = _next_change(lines)
        assert version == 13
    put(settings, rich(version=14))
    until(lambda: http.get(f"/v1/profiles/{ANA}").json()["version"] == 14)
    with http.stream("GET", path, headers={"Last-Event-ID": event_id}) as stream:
        assert _next_change(stream.iter_lines())[1] == 14
        assert part.stop() == 0, "an open stream must not hold up stopping"


def _next_change(lines):
    event_id = ""
    for line in lines:
        if line.startswith("id: "):
            event_id = line.removeprefix("id: ")
        if line.startswith("data: "):
            return event_id, json.loads(line.removeprefix("data: "))["version"]
    raise AssertionError("the stream ended")


def test_a_transaction_that_was_aborted_is_never_seen_nor_waited_for(kafka_settings, start_part):
    producer = KafkaProducer(
        bootstrap_servers=kafka_settings.brokers, transactional_id=f"{kafka_settings.topic_prefix}t"
    )
    producer.init_transactions()
    for version, commit in ((1, True), (2, False)):
        producer.begin_transaction()
        one = customer(version=version)
        producer.send(
            kafka_settings.topic(PROFILES), key=one.customer_id.encode(), value=encode(one)
        )
        producer.commit_transaction() if commit else producer.abort_transaction()
    producer.close()
    part = start_part(kafka_settings, "projections.serve")
    with client(kafka_settings) as http:
        until(lambda: ready(http), 120, part.tail())
        assert http.get(f"/v1/profiles/{ANA}").json()["version"] == 1


def test_dead_letters_are_counted_until_they_are_sent_again(serving):
    settings, http, _ = serving
    topic = settings.topic(DEAD_LETTERS)
    rejected = TouchpointRejectedError(Reason.NOT_JSON, "no JSON at all", "")
    letter = headers_of(rejected, "touchpoints/3/17", [])
    send(settings.brokers, topic, [(b"k", b"{oops", letter), (b"k", b"{again", letter)])
    until(lambda: http.get("/v1/stats").json()["dead_letters"] == 2)
    send(settings.brokers, topic, [(b"k", None, [("redriven", b"0")])])
    until(lambda: http.get("/v1/stats").json()["dead_letters"] == 1)


def test_the_lag_of_each_step_is_read_from_the_workers_group(serving, start_part):
    settings, http, _ = serving
    worker = start_part(settings, "streams")
    event = {
        "type": "page_viewed",
        "event_id": "p1",
        "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "identifiers": [{"type": "user_id", "value": "lag-1"}],
        "path": "/",
    }
    send(settings.brokers, settings.topic(TOUCHPOINTS), [(b"lag-1", json.dumps(event).encode())])

    def drained():
        lags = {one["step"]: one["lag"] for one in http.get("/v1/stats").json()["lag"]}
        return lags["validate"] == lags["fold"] == lags["live"] == 0

    until(lambda: http.get("/v1/profiles/user_id:lag-1").status_code == 200, 120, worker.tail())
    until(drained, 120, worker.tail())
    assert http.get("/v1/profiles/user_id:lag-1").json()["computed"]["events"] == 1


def test_a_wrong_setting_is_said_in_a_sentence(kafka_settings, start_part):
    part = start_part(kafka_settings, "projections.serve", api_keys="")
    assert part.process.wait(120) == 2
    assert "C360_API_KEYS" in part.tail()
    assert "Traceback" not in part.tail()
