"""Whatever is put on the topic: each bad message is kept whole with its reason, the good go on.

The messages go straight onto Kafka, past all that HTTP would refuse, in every
compression that a producer may choose.
"""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from aiokafka import AIOKafkaProducer
from kafka_log import read_all
from waiting import until

from models import topics

pytestmark = pytest.mark.stack

NOW = datetime.now(UTC)
CODECS = ("gzip", "snappy", "lz4", "zstd", None)
GOOD_EACH = 3  # good events around each bad one


def event(**over: object) -> dict:
    """Return a page view of somebody; a field given as None is left out."""
    given = {
        "type": "page_viewed",
        "schema_version": 2,
        "occurred_at": NOW.isoformat(),
        "identifiers": [{"type": "user_id", "value": "nobody-bad"}],
        "channel": "web",
        "path": "/",
    } | over
    return {name: value for name, value in given.items() if value is not None}


def raw(**over: object) -> bytes:
    return json.dumps(event(**over)).encode()


def order(amount: object) -> bytes:
    total = {"amount": amount, "currency": "USD"}
    return raw(type="order_placed", path=None, order_id="o", total=total)


def nested(levels: int) -> dict:
    value: dict = {}
    for _ in range(levels):
        value = {"deeper": value}
    return value


# What was sent, and the reason and the place that its dead letter must name.
BAD: dict[str, tuple[bytes | None, str, str]] = {
    "cut off": (raw()[:-20], "not_json", ""),
    "not an object": (b"[1, 2]", "bad_field", ""),
    "words": (b"hello?", "not_json", ""),
    "wrong type": (raw(path=17), "bad_field", "path"),
    "type of the wrong type": (raw(type=17), "unknown_type", "type"),
    "no identifier": (raw(identifiers=None), "no_identifier", "identifiers"),
    "empty identifiers": (raw(identifiers=[]), "no_identifier", "identifiers"),
    "blank identifier": (
        raw(identifiers=[{"type": "user_id", "value": "  "}]),
        "no_identifier",
        "identifiers",
    ),
    "unknown type": (raw(type="teleported"), "unknown_type", "type"),
    "unknown version": (raw(schema_version=99), "unknown_version", "schema_version"),
    "1970": (raw(occurred_at="1970-01-01T00:00:00Z"), "bad_time", "occurred_at"),
    "far future": (raw(occurred_at="2999-01-01T00:00:00Z"), "bad_time", "occurred_at"),
    "in three days": (
        raw(occurred_at=(NOW + timedelta(days=3)).isoformat()),
        "bad_time",
        "occurred_at",
    ),
    "negative": (order("-1.00"), "bad_amount", "total.amount"),
    "NaN": (order("NaN"), "bad_amount", "total.amount"),
    "Infinity": (order("Infinity"), "bad_amount", "total.amount"),
    "bare NaN": (order(float("nan")), "not_json", ""),
    "bare Infinity": (order(float("inf")), "not_json", ""),
    "half a cent": (order("1.005"), "bad_amount", "total"),
    "1 MB": (raw(path="/" + "x" * 1_000_000), "too_large", ""),
    "long path": (raw(path="/" + "x" * 100_000), "bad_field", "path"),
    "nested": (raw(properties=nested(20)), "too_deep", "properties"),
    "nested without end": (b'{"properties":' + b'{"a":' * 20_000 + b"1", "too_deep", ""),
    "no UTF-8": (raw(path="/@").replace(b"@", b"\xff\xfe"), "not_utf8", ""),
    "null": (None, "empty", ""),
    "nothing": (b"", "empty", ""),
    "unknown field": (raw(colour="red"), "bad_field", "colour"),
}
SENT_HEADERS = [("trace", b"\x00\xff")]  # any client's own, not even text


async def put(brokers: str, topic: str, codec: str | None, messages: list[tuple]) -> list[str]:
    """Send (key, value) in one record batch; return the places as dead letters name them."""
    producer = AIOKafkaProducer(
        bootstrap_servers=brokers,
        compression_type=codec,
        max_batch_size=8_000_000,
        max_request_size=8_000_000,
    )
    await producer.start()
    try:
        batch = producer.create_batch()
        for key, value in messages:  # `send` would refuse a message without key and value
            assert batch.append(key=key, value=value, timestamp=None, headers=SENT_HEADERS)
        sent = await (await producer.send_batch(batch, topic, partition=1))
        return [f"touchpoints/1/{sent.offset + index}" for index in range(len(messages))]
    finally:
        await producer.stop()


def interleaved(user: str) -> tuple[list[tuple[bytes | None, bytes | None]], list[int]]:
    """Return every bad message between good ones of `user`, and where the bad ones are."""
    messages: list[tuple[bytes | None, bytes | None]] = []
    bad = []
    for name, (value, *_) in BAD.items():
        for number in range(GOOD_EACH):
            id = f"{user}-{name}-{number}"
            who = [{"type": "user_id", "value": user}]
            messages.append((user.encode(), raw(event_id=id, identifiers=who)))
        bad.append(len(messages))
        messages.append((None if name in ("words", "null") else user.encode(), value))
    return messages, bad


@pytest.mark.parametrize("codec", CODECS)
def test_bad_messages_are_kept_with_their_reason_and_every_good_one_arrives(system, codec):
    user = f"bad-input-{codec}"
    brokers = system.settings.brokers
    before = until(lambda: status(system), 60, "the worker is ready")
    messages, bad = interleaved(user)
    touchpoints = system.settings.topic(topics.TOUCHPOINTS)
    places = asyncio.run(put(brokers, touchpoints, codec, messages))

    good = len(messages) - len(bad)
    known = system.becomes(f"user_id:{user}", lambda one: one["computed"]["events"] == good)
    assert known["computed"]["orders"] == 0

    def letters() -> dict[str, object]:
        found = read_all(brokers, system.settings.topic(topics.DEAD_LETTERS))
        return {dict(one.headers)["source"].decode(): one for one in found}

    wanted = {places[index] for index in bad}
    kept = until(lambda: wanted <= (found := letters()).keys() and found, 30, "the dead letters")
    assert {place for place in kept if place in places} == wanted, "no good one is among them"
    for index, (name, (value, reason, where)) in zip(bad, BAD.items(), strict=True):
        letter = kept[places[index]]
        said = {key: text.decode() for key, text in letter.headers if key != "trace"}
        assert (said["reason"], said["where"]) == (reason, where), (name, said)
        assert said["detail"], name
        assert letter.value == value, name
        assert letter.key == messages[index][0], name
        assert letter.headers[: len(SENT_HEADERS)] == SENT_HEADERS, name

    question = "SELECT count() FROM touchpoints FINAL WHERE startsWith(event_id, {u:String})"
    until(lambda: system.rows(question, u=f"{user}-") == [(good,)], 60, "good ones as rows")
    listed = (
        "SELECT source, reason, field FROM dead_letters FINAL WHERE source IN {s:Array(String)}"
    )
    rows = until(
        lambda: len(got := system.rows(listed, s=sorted(wanted))) == len(bad) and got, 60, "rows"
    )
    assert {row[0]: row[1:] for row in rows} == {
        places[index]: (reason, where)
        for index, (_, reason, where) in zip(bad, BAD.values(), strict=True)
    }
    assert status(system) == before, "no worker was restarted"


def status(system) -> tuple | None:
    """Return what a restart of the worker would change; None while it is not ready."""
    try:
        said = httpx.get(f"http://127.0.0.1:{system.settings.worker_port}/status", timeout=20)
    except httpx.ConnectError:
        return None
    found = said.json()
    return (found["tenure"], found["generation"]) if found["ready"] else None
