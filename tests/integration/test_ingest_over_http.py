"""Ingest as its own process against a real Kafka, spoken to over HTTP."""

import gzip
import json
import os
import signal
import threading
import time
import zlib

import httpx
import pytest
import rudderstack.analytics.client
import segment.analytics.client

from infra.admin import create_topics
from models.events import Wire, parse
from models.topics import TOUCHPOINTS
from streams.ingest.gateway import PATIENCE
from tests.support.kafka_log import read_all
from tests.support.waiting import until

pytestmark = pytest.mark.stack
KEY = "test-write-key"
PAGE = {"type": "page_viewed", "identifiers": {"user_id": "ana"}, "path": "/"}


def page(number, **more):
    return PAGE | {"event_id": f"e{number}", "identifiers": {"user_id": f"u{number}"}} | more


def started(settings, start_part):
    part = start_part(settings, "streams.ingest")
    address = f"http://127.0.0.1:{settings.ingest_port}"

    def healthy():
        try:
            return httpx.get(f"{address}/healthz").status_code == 200
        except httpx.TransportError:
            return False

    until(healthy, what="ingest is healthy")
    return part, address


@pytest.fixture
def ingest(kafka_settings, start_part):
    """Where ingest listens; it stops by itself after the test."""
    return started(kafka_settings, start_part)[1]


@pytest.fixture
def http(ingest):
    with httpx.Client(base_url=ingest, auth=(KEY, ""), timeout=30) as client:
        yield client


def on_log(settings):
    return read_all(settings.brokers, settings.topic(TOUCHPOINTS))


def touchpoint(record):
    wire = Wire.of(record.headers, record.timestamp, "touchpoints", record.partition, record.offset)
    return parse(record.value, wire)


def receipt(record):
    return f"touchpoints/{record.partition}:{record.offset}"


def send_all_calls(client):
    client.identify("ana", {"email": "ana@x.kr", "name": "김아나", "age": 31})
    client.track(
        "ana",
        "Order Completed",
        {
            "order_id": "o-1",
            "total": 59.0,
            "currency": "USD",
            "products": [{"product_id": "p-1", "price": 29.5, "quantity": 2}],
        },
    )
    client.page("ana", "Shop", "Home", {"url": "https://shop.example/a?b=c"})
    client.screen("ana", "App", "Start", {})
    client.group("ana", "acme", {"plan": "gold"})
    client.alias("anonymous-1", "ana")
    client.track("ana", "Danced", {"steps": [1, 2.5]})
    client.shutdown()


STOCK_CLIENTS = {
    "segment": lambda url: segment.analytics.client.Client(KEY, host=url),
    "segment, gzip": lambda url: segment.analytics.client.Client(KEY, host=url, gzip=True),
    "rudder": lambda url: rudderstack.analytics.client.Client(KEY, host=url),
    "rudder, no gzip": lambda url: rudderstack.analytics.client.Client(KEY, host=url, gzip=False),
}


@pytest.mark.parametrize("name", STOCK_CLIENTS)
def test_stock_clients_work_unchanged(name, ingest, kafka_settings):
    errors = []
    client = STOCK_CLIENTS[name](ingest)
    for consumer in client.consumers:
        consumer.on_error = lambda error, batch: errors.append(error)
    send_all_calls(client)
    assert errors == []
    found = {event.type: event for event in map(touchpoint, on_log(kafka_settings))}
    assert sorted(found) == [
        "custom",
        "customer_aliased",
        "customer_identified",
        "group_joined",
        "order_placed",
        "page_viewed",
        "screen_viewed",
    ]
    known = found["customer_identified"]
    assert known.type == "customer_identified"
    assert {"email": "ana@x.kr", "name": "김아나", "age": 31}.items() <= known.traits.items()
    assert "email:ana@x.kr" in map(str, known.identifiers)
    order = found["order_placed"]
    assert order.type == "order_placed"
    assert (order.total.minor, order.units, order.source) == (5900, 2, "test")
    assert abs(order.occurred_ms - order.received_ms) < 60_000


def test_a_batch_is_judged_one_by_one_and_told_where_each_event_is(http, kafka_settings):
    bad = page(1, path=7)
    answer = http.post("/v1/events", json=[page(0), bad, page(2)])
    assert answer.status_code == 200
    body = answer.json()
    assert (body["accepted"], body["rejected"]) == (2, 1)
    first, second, third = body["verdicts"]
    assert first == {
        "index": 0, "status": "accepted", "event_id": "e0", "receipt": first["receipt"],
    }  # fmt: skip
    assert (second["status"], second["reason"], second["where"]) == (
        "rejected", "bad_field", "path",
    )  # fmt: skip
    records = {receipt(record): record for record in on_log(kafka_settings)}
    assert json.loads(records[first["receipt"]].value) == page(0)
    assert json.loads(records[second["receipt"]].value) == bad  # whole, for the dead letters
    assert records[third["receipt"]].key == b"user_id:u2"
    assert dict(records[first["receipt"]].headers)["format"] == b"native"


def test_a_batch_that_says_when_it_left_is_set_right_by_our_clock(http, kafka_settings):
    said = page(0, occurred_at="2001-01-01T00:00:00+09:00")
    own = page(1, occurred_at="2031-01-01T00:00:00Z", sent_at="2031-01-01T01:00:00Z")
    body = {"events": [said, own], "sent_at": "2001-01-01T00:10:00+09:00"}
    assert http.post("/v1/events", json=body).json()["accepted"] == 2
    found = {event.event_id: event for event in map(touchpoint, on_log(kafka_settings))}
    ago = {name: event.received_ms - event.occurred_ms for name, event in found.items()}
    assert ago == {"e0": 600_000, "e1": 3_600_000}
    answer = http.post("/v1/events", json={"events": [page(2)], "sent_at": "soon"}).json()
    [verdict] = answer["verdicts"]
    assert (verdict["reason"], verdict["where"]) == ("bad_time", "sent_at")


def test_one_bad_event_alone_is_a_422_that_says_why(http):
    answer = http.post("/v1/events", json=page(1, path=7))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["status"], body["reason"], body["where"]) == (422, "bad_field", "path")
    assert body["receipt"].startswith("touchpoints/")


def test_an_event_without_id_is_named_after_its_place(http, kafka_settings):
    answer = http.post("/v1/events", json=PAGE).json()
    [record] = on_log(kafka_settings)
    assert answer["event_id"] == touchpoint(record).event_id
    assert answer["receipt"] == receipt(record)


def test_one_customers_events_stay_in_order_on_one_partition(http, kafka_settings):
    for number in range(3):
        http.post("/v1/events", json=[PAGE | {"event_id": f"{number}-{n}"} for n in range(400)])
    records = on_log(kafka_settings)
    assert len({record.partition for record in records}) == 1
    assert [json.loads(record.value)["event_id"] for record in records] == [
        f"{number}-{n}" for number in range(3) for n in range(400)
    ]


CLOUD = {
    "specversion": "1.0",
    "id": "c-1",
    "source": "/shop",
    "type": "customer360.search_performed",
    "subject": "user_id:ana",
    "time": "2026-11-01T10:00:00+09:00",
}


def cloudevent_requests():
    data = {"query": "shoes"}
    structured = json.dumps(CLOUD | {"data": data})
    binary = {f"ce-{name}": value for name, value in CLOUD.items()}
    return {
        "structured": ("application/cloudevents+json", structured, {}),
        "batch": ("application/cloudevents-batch+json; charset=utf-8", f"[{structured}]", {}),
        "binary": ("application/json", json.dumps(data), binary),
    }


@pytest.mark.parametrize("mode", cloudevent_requests())
def test_cloudevents_come_in_by_every_mode(mode, http, kafka_settings):
    kind, body, headers = cloudevent_requests()[mode]
    answer = http.post("/v1/cloudevents", content=body, headers={"Content-Type": kind} | headers)
    assert answer.status_code == 200, answer.text
    [record] = on_log(kafka_settings)
    event = touchpoint(record)
    assert (event.type, event.query, event.event_id) == ("search_performed", "shoes", "/shop#c-1")
    assert event.utc_offset_minutes == 540


def test_a_gzip_bomb_is_refused_before_it_unpacks(http, kafka_settings):
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join(bomb.compress(bytes(1 << 20)) for _ in range(1024)) + bomb.flush()
    assert len(packed) < 1 << 21  # 1 GiB of zeros
    answer = http.post("/v1/batch", content=packed, headers=gzipped())
    assert answer.status_code == 413
    assert "c360_ingest_held_bytes 0" in http.get("/metrics").text.splitlines()
    assert on_log(kafka_settings) == []


def gzipped():
    return {"Content-Type": "application/json", "Content-Encoding": "gzip"}


HUGE = b'{"batch":[' + b" " * (4 << 20) + b"]}"
REFUSED = {
    "not JSON": ("/v1/batch", b"{", {}, 400),
    "no batch": ("/v1/batch", b"{}", {}, 400),
    "no batch of ours": ("/v1/events", b'{"events":[],"sentAt":"2026-11-22"}', {}, 400),
    "not an object": ("/v1/track", b"[1]", {}, 400),
    "too deep": ("/v1/events", b"[" * 100_000, {}, 400),
    "broken gzip": ("/v1/batch", b"nope", gzipped(), 400),
    "cut gzip": ("/v1/batch", gzip.compress(b'{"batch":[]}')[:-9], gzipped(), 400),
    "other packing": ("/v1/batch", b"{}", {"Content-Encoding": "br"}, 415),
    "other type": ("/v1/batch", b"{}", {"Content-Type": "text/xml"}, 415),
    "too large": ("/v1/batch", HUGE, {}, 413),
    "one too large": ("/v1/track", b" " * (300 * 1024), {}, 413),
    "too many": ("/v1/events", b"[" + b"{}," * 2_500 + b"{}]", {}, 413),
    "unknown path": ("/v1/nonsense", b"{}", {}, 404),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_request_that_cannot_be_taken_leaves_nothing_behind(case, http, kafka_settings):
    path, body, headers, status = REFUSED[case]
    json_type = {"Content-Type": "application/json"}
    answer = http.post(path, content=body, headers=json_type | headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert on_log(kafka_settings) == []


def test_a_body_without_length_is_held_to_the_same_limit(http):
    answer = http.post(
        "/v1/batch",
        content=(b" " * (1 << 16) for _ in range(100)),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 413


@pytest.mark.parametrize("headers", [
    {},
    {"Authorization": "Basic d3Jvbmc6"},
    {"Authorization": "Bearer wrong"},
    {"Authorization": "Bearer 열쇠".encode()},
    {"Authorization": "Basic !!!"},
    {"Authorization": f"Digest {KEY}"},
])  # fmt: skip
def test_nobody_sends_without_a_write_key(headers, ingest, kafka_settings):
    answer = httpx.post(f"{ingest}/v1/events", json=PAGE, headers=headers, timeout=30)
    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer.headers
    assert on_log(kafka_settings) == []


def test_a_bearer_token_is_as_good_as_basic(ingest):
    headers = {"Authorization": f"Bearer {KEY}"}
    assert (
        httpx.post(f"{ingest}/v1/events", json=PAGE, headers=headers, timeout=30).status_code == 200
    )


def test_more_than_the_rate_is_asked_to_wait(kafka_settings, start_part):
    slow = kafka_settings.model_copy(update={"ingest_rate": 1, "max_batch_events": 20})
    address = started(slow, start_part)[1]
    with httpx.Client(base_url=address, auth=(KEY, ""), timeout=30) as http:
        assert http.post("/v1/events", json=[page(n) for n in range(20)]).status_code == 200
        refused = http.post("/v1/events", json=[page(n) for n in range(20)])
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 20


def test_a_paused_kafka_is_a_503_and_it_recovers_with_nothing_acknowledged_lost(
    new_broker, make_settings, start_part
):
    broker = new_broker()
    settings = make_settings(kafka=broker.bootstrap)
    create_topics(settings)
    part, address = started(settings, start_part)
    with httpx.Client(base_url=address, auth=(KEY, ""), timeout=30) as http:
        acknowledged = [accepted(http, page(0))]
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            first = http.post("/v1/events", json=page(1))
            assert first.status_code == 503
            assert int(first.headers["Retry-After"]) >= 1
            # The write that hangs began a little later than the wait for it that has just ended.
            until(lambda: http.get("/healthz").status_code == 503, what="it knows")
            began = time.monotonic()
            second = http.post("/v1/events", json=page(1))
            assert second.status_code == 503
            assert time.monotonic() - began < PATIENCE  # told at once: it does not wait in line
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        until(lambda: http.get("/healthz").status_code == 200, what="ingest recovers")
        acknowledged.append(accepted(http, page(1)))
    assert set(acknowledged) <= {receipt(record) for record in on_log(settings)}
    assert part.process.poll() is None


def accepted(http, event):
    """Send an event until it is taken, as clients do: a broker may refuse for a moment after a
    start or a pause. Return its receipt.
    """

    def receipt():
        answer = http.post("/v1/events", json=event)
        assert answer.status_code in {200, 503}, answer.text
        return answer.json().get("receipt")

    return until(receipt, what="Kafka takes it")


def test_a_restarted_kafka_is_used_again_without_a_restart(new_broker, make_settings, start_part):
    broker = new_broker()
    settings = make_settings(kafka=broker.bootstrap)
    create_topics(settings)
    part, address = started(settings, start_part)
    acknowledged = []
    with httpx.Client(base_url=address, auth=(KEY, ""), timeout=30) as http:

        def sent(number):
            answer = http.post("/v1/events", json=[page(f"{number}-{n}") for n in range(50)])
            if answer.status_code == 200:
                acknowledged.extend(one["receipt"] for one in answer.json()["verdicts"])
            else:
                assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
            return answer.status_code == 200

        until(lambda: sent(0), what="Kafka takes it")
        broker.stop()
        assert not sent(1)
        assert not sent(1)
        broker.start()
        until(lambda: sent(1), what="ingest uses the restarted Kafka")
        assert sent(2)
    assert len(acknowledged) == 150
    assert set(acknowledged) <= {receipt(record) for record in on_log(settings)}
    assert part.process.poll() is None


def test_it_starts_before_kafka_does_and_answers_503(make_settings, start_part):
    settings = make_settings()  # nobody listens there
    start_part(settings, "streams.ingest")
    url = f"http://127.0.0.1:{settings.ingest_port}"

    def answered():
        try:
            return httpx.post(f"{url}/v1/events", json=PAGE, auth=(KEY, ""), timeout=30)
        except httpx.TransportError:
            return None

    answer = until(answered)
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)


def test_what_was_acknowledged_before_a_sigterm_is_on_the_log(kafka_settings, start_part):
    part, address = started(kafka_settings, start_part)
    receipts, failed = [], threading.Event()

    def send(sender):
        with httpx.Client(base_url=address, auth=(KEY, ""), timeout=30) as http:
            for number in range(10_000):
                try:
                    answer = http.post("/v1/events", json=page(f"{sender}-{number}"))
                except httpx.TransportError:
                    failed.set()
                    return
                if answer.status_code == 200:
                    receipts.append(answer.json()["receipt"])

    senders = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for thread in senders:
        thread.start()
    until(lambda: len(receipts) > 100)
    assert part.stop() == 0
    for thread in senders:
        thread.join()
    assert failed.is_set()
    assert len(receipts) > 100
    assert set(receipts) <= {receipt(record) for record in on_log(kafka_settings)}


def test_without_write_keys_it_does_not_start(make_settings, start_part):
    part = start_part(make_settings(write_keys=""), "streams.ingest")
    assert part.process.wait(120) == 2
    assert "C360_WRITE_KEYS" in part.tail()
