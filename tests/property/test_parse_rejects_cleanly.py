"""Whatever arrives is either a touchpoint or a reason; parsing ends in nothing else."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.errors import Reason, TouchpointRejectedError
from models.events import Wire, decode_event, encode_event, parse

NOW_MS = 1_795_312_800_000
ORDER = {
    "type": "order_placed",
    "schema_version": 2,
    "event_id": "e-1",
    "occurred_at": "2026-11-22T10:00:00.123+09:00",
    "identifiers": {"user_id": "ana", "email": ["a@x.kr", "b@x.kr"]},
    "order_id": "o-1",
    "total": {"amount": "59.00", "currency": "USD"},
    "lines": [{"sku": "s1", "quantity": 2, "price": {"amount": 29.5, "currency": "USD"}}],
    "context": {"locale": "ko-KR", "campaign": {"source": "mail"}},
    "properties": {"gift": True, "note": ["a", {"b": 1.5}]},
}
TRACK = {
    "type": "track",
    "event": "Order Completed",
    "messageId": "m-1",
    "userId": 42,
    "anonymousId": None,
    "timestamp": "2026-11-22T01:00:00Z",
    "sentAt": "2026-11-22T01:00:01Z",
    "channel": "server",
    "context": {"traits": {"email": "a@x.kr", "address": {"city": "Seoul"}}, "device": {"id": "d"}},
    "properties": {
        "order_id": 7,
        "total": 59.0,
        "currency": "USD",
        "products": [{"product_id": 1, "price": 2.5, "quantity": 3}],
    },
}
IDENTIFY = TRACK | {"type": "identify", "traits": {"plan": "gold", "tags": ["a", {"b": [1.5]}]}}
PAGE = TRACK | {"type": "page", "name": "Home", "properties": {"url": "https://x.kr/a?b"}}
ALIAS = {"type": "alias", "previousId": "old", "userId": "new", "messageId": "m"}
CLOUD = {
    "specversion": "1.0",
    "id": "1",
    "source": "/shop",
    "type": "customer360.search_performed",
    "subject": "user_id:ana",
    "time": "2026-11-22T01:00:00Z",
    "data": {"query": "shoes", "results": 3},
}
VALID = [("native", ORDER), ("cloudevents", CLOUD)] + [
    ("segment", message) for message in (TRACK, IDENTIFY, PAGE, ALIAS)
]

odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**30, max_value=10**400),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(
        ["", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "NaN", "-1", "1e999"]
    ),
    st.sampled_from([-1, -0.0, 1e300, {}, [], [[]], {"": ""}, {"type": []}]),
    st.recursive(st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)),
)


def places(value, path=()):
    """Every path of a JSON value, from the root."""
    yield path
    if isinstance(value, dict | list):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(child, (*path, key))


def changed(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(copy[path[0]], path[1:], new)
    return copy


@st.composite
def mutants(draw):
    form, message = draw(st.sampled_from(VALID))
    for _ in range(draw(st.integers(1, 3))):
        if not isinstance(message, dict | list):
            break
        path = draw(st.sampled_from(list(places(message))))
        message = changed(message, path, draw(odd))
        if isinstance(message, dict) and draw(st.booleans()):
            # A copy: what is drawn is shared between examples, and might come to hold itself.
            message = {**message, draw(st.text(max_size=8)): draw(odd)}
    return form, json.dumps(message).encode()


def parse_or_reason(raw, wire):
    try:
        touchpoint = parse(raw, wire)
    except TouchpointRejectedError:
        return
    assert decode_event(encode_event(touchpoint)) == touchpoint


@pytest.mark.parametrize(("form", "message"), VALID, ids=lambda part: str(part)[:20])
def test_what_is_mutated_below_is_valid_unmutated(form, message):
    raw = json.dumps(message).encode()
    touchpoint = parse(raw, Wire(form, NOW_MS))
    assert decode_event(encode_event(touchpoint)) == touchpoint


@given(st.binary(max_size=200), st.sampled_from(["native", "segment", "cloudevents", "x"]))
def test_arbitrary_bytes_are_rejected_with_a_reason(raw, form):
    parse_or_reason(raw, Wire(form, NOW_MS))


@settings(max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutants())
def test_mutated_events_are_read_or_rejected_with_a_reason(mutant):
    form, raw = mutant
    parse_or_reason(raw, Wire(form, NOW_MS))


@settings(max_examples=300, deadline=None)
@given(mutants(), st.integers(0, 2_000), st.binary(min_size=1, max_size=3))
def test_damaged_bytes_are_read_or_rejected_with_a_reason(mutant, at, noise):
    form, raw = mutant
    parse_or_reason(raw[:at] + noise + raw[at + 1 :], Wire(form, NOW_MS))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["format", "received_at", "observed_until", "sent_at"]),
            st.binary(max_size=20) | st.just(b"9" * 15),
        )
    ),
    st.integers(-(2**63), 2**63 - 1),
)
def test_any_headers_and_timestamp_are_read_or_rejected_with_a_reason(headers, timestamp):
    raw = json.dumps(TRACK | {"sentAt": None}).encode()
    try:
        wire = Wire.of(headers, timestamp, "touchpoints", 3, 7)
    except TouchpointRejectedError:
        return
    parse_or_reason(raw, wire)


def said_by(clock_ms):
    return datetime.fromtimestamp(clock_ms / 1_000, UTC).isoformat(timespec="milliseconds")


DAY_MS = 86_400_000
WHEN = {"native": "occurred_at", "segment": "timestamp", "cloudevents": "time"}


@given(
    st.sampled_from([("native", ORDER), ("cloudevents", CLOUD), ("segment", TRACK)]),
    st.integers(-2 * DAY_MS, 2 * DAY_MS),
    st.integers(-2 * DAY_MS, 2 * DAY_MS),
    st.booleans(),
)
def test_a_clock_is_set_right_where_it_can_be_and_never_goes_beyond_ours(
    form_and_message, ago_ms, off_ms, tells
):
    form, message = form_and_message
    told = message | {WHEN[form]: said_by(NOW_MS - ago_ms + off_ms), "sentAt": None}
    if form != "segment":
        del told["sentAt"]
    wire = Wire(form, NOW_MS, sent_at=said_by(NOW_MS + off_ms) if tells else None)
    seems_ms = ago_ms if tells else ago_ms - off_ms
    if seems_ms < -DAY_MS:
        with pytest.raises(TouchpointRejectedError) as rejected:
            parse(json.dumps(told).encode(), wire)
        assert (rejected.value.reason, rejected.value.where) == (Reason.BAD_TIME, "occurred_at")
    else:
        touchpoint = parse(json.dumps(told).encode(), wire)
        assert touchpoint.occurred_ms == NOW_MS - max(0, seems_ms)
