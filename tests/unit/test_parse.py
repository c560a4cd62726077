"""What parsing makes of a message, and what it says of those it cannot take."""

import json
from datetime import UTC, datetime, timedelta
from functools import reduce
from pathlib import Path

import pytest

from models.errors import Reason, TouchpointRejectedError
from models.events import (
    Channel,
    TimerFired,
    Wire,
    decode_event,
    encode_event,
    parse,
)
from models.events.sent import LONGEST_NUMBER
from models.profile import Profile, evolve

NOW_MS = 1_795_312_800_000  # 2026-11-22T02:00:00Z
WIRE = Wire("native", NOW_MS, "shop", topic="touchpoints", partition=3, offset=7)
PAGE = {
    "type": "page_viewed",
    "event_id": "e1",
    "occurred_at": "2026-11-22T10:30:00+09:00",
    "identifiers": {"user_id": "ana"},
    "path": "/",
}
ORDER = PAGE | {
    "type": "order_placed",
    "order_id": "o1",
    "total": {"amount": "59.00", "currency": "USD"},
}
TICKET = PAGE | {"type": "ticket_opened", "ticket_id": "t1"}
del ORDER["path"], TICKET["path"]


def read(message, wire=WIRE):
    return parse(json.dumps(message).encode(), wire)


def refusal(raw, wire=WIRE):
    with pytest.raises(TouchpointRejectedError) as rejected:
        parse(raw, wire)
    return rejected.value.reason, rejected.value.where


SEGMENT = {"type": "track", "event": "x", "userId": "ana", "messageId": "e1"}
either_way = pytest.mark.parametrize(  # at once, or step by step
    ("message", "wire"), [(PAGE, WIRE), (SEGMENT, WIRE._replace(format="segment"))]
)


@either_way
def test_a_message_may_be_as_large_as_is_allowed(message, wire):
    raw = json.dumps(message).encode()
    assert parse(raw, wire, len(raw)).event_id == "e1"
    with pytest.raises(TouchpointRejectedError) as rejected:
        parse(raw, wire, len(raw) - 1)
    assert rejected.value.reason is Reason.TOO_LARGE


@either_way
def test_a_number_may_have_as_many_signs_as_are_read(message, wire):
    raw = json.dumps(message | {"properties": {"a": 0}}).encode()
    longest = b"0." + b"1" * (LONGEST_NUMBER - 2)
    read = parse(raw.replace(b'"a": 0', b'"a": ' + longest), wire)
    assert read.properties == {"a": pytest.approx(1 / 9)}
    longer = raw.replace(b'"a": 0', b'"a": ' + longest + b"1")
    assert refusal(longer, wire)[0] is Reason.NOT_JSON


def test_times_are_utc_and_the_events_own_zone_is_kept():
    event = read(PAGE)
    assert event.occurred_at == datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
    assert event.occurred_at.utcoffset().total_seconds() == 0
    assert event.utc_offset_minutes == 540
    assert event.received_ms == NOW_MS


def test_a_time_sent_in_utc_tells_no_zone():
    assert read(PAGE | {"occurred_at": "2026-11-22T01:30:00Z"}).utc_offset_minutes is None


def test_without_a_time_it_happened_when_it_was_received():
    event = read({key: value for key, value in PAGE.items() if key != "occurred_at"})
    assert event.occurred_ms == NOW_MS


@pytest.mark.parametrize("at", ["2026-11-22T11:00:00.001+09:00", "2026-11-23T11:00:00+09:00"])
def test_a_clock_ahead_is_believed_no_further_than_the_time_of_receipt(at):
    event = read(PAGE | {"occurred_at": at})
    assert (event.occurred_at, event.utc_offset_minutes) == (event.received_at, 540)


def test_a_clock_ahead_does_not_have_the_last_word_once_ours_is_there_too():
    said = {"type": "consent_changed", "purpose": "email", "identifiers": {"user_id": "ana"}}
    fast = said | {"event_id": "z", "granted": True, "occurred_at": "2026-11-23T01:00:00Z"}
    true = said | {"event_id": "a", "granted": False, "occurred_at": "2026-11-22T02:01:00Z"}
    events = [read(fast), read(true, WIRE._replace(received_ms=NOW_MS + 61_000))]
    profiles = [reduce(evolve, order, Profile()) for order in (events, events[::-1])]
    assert [profile.consents["email"].value for profile in profiles] == [False, False]


@pytest.mark.parametrize("hours", [3, -3, 24 * 365 * 20])
@pytest.mark.parametrize("way", ["event", "batch"])
def test_a_wrong_clock_is_set_right_by_the_time_of_sending(hours, way):
    clock = datetime.fromtimestamp(NOW_MS / 1_000, UTC) + timedelta(hours=hours)
    said = PAGE | {"occurred_at": (clock - timedelta(minutes=10)).isoformat()}
    if way == "event":
        event = read(said | {"sent_at": clock.isoformat()}, WIRE._replace(sent_at="1999-01-01"))
    else:
        event = read(said | {"sent_at": None}, WIRE._replace(sent_at=clock.isoformat()))
    assert event.occurred_ms == NOW_MS - 600_000


def test_a_time_that_is_moved_keeps_the_zone_that_it_was_told_in():
    event = read(PAGE | {"sent_at": "2026-11-22T01:31:00Z"})
    assert (event.occurred_ms, event.utc_offset_minutes) == (NOW_MS - 60_000, 540)


def test_a_backfills_time_of_sending_moves_nothing():
    event = read(
        PAGE | {"sent_at": "2026-11-22T01:31:00Z"}, WIRE._replace(observed_until_ms=NOW_MS)
    )
    assert event.occurred_at == datetime(2026, 11, 22, 1, 30, tzinfo=UTC)


def test_a_time_of_sending_alone_says_nothing():
    said = {name: value for name, value in PAGE.items() if name != "occurred_at"}
    assert read(said | {"sent_at": "2026-11-22T01:31:00Z"}).occurred_ms == NOW_MS


def test_without_an_id_the_event_is_named_after_its_place():
    message = {key: value for key, value in PAGE.items() if key != "event_id"}
    assert read(message).event_id == "touchpoints-3-7"


def test_the_receiver_fills_in_source_and_the_backfills_end():
    event = read(PAGE, WIRE._replace(observed_until_ms=NOW_MS))
    assert (event.source, event.observed_until_ms) == ("shop", NOW_MS)


def test_several_identifiers_of_a_type_may_be_written_short():
    event = read(PAGE | {"identifiers": {"email": ["a@x.kr", "b@x.kr"], "user_id": "ana"}})
    assert list(map(str, event.identifiers)) == ["email:a@x.kr", "email:b@x.kr", "user_id:ana"]


def test_channels_have_a_default_that_can_be_overridden():
    assert read(PAGE).channel is Channel.WEB
    assert read(PAGE | {"channel": "app"}).channel is Channel.APP


@pytest.mark.parametrize("amount", ["1234567890123.45", 1234567890123.45, "0.10", 0.1])
def test_amounts_are_exact_as_text_and_as_number(amount):
    event = read(ORDER | {"total": {"amount": amount, "currency": "USD"}})
    assert event.type == "order_placed"
    assert str(event.total.amount) == str(amount)


def test_what_the_log_holds_is_read_back_the_same():
    for message in (PAGE, ORDER | {"properties": {"a": [1, {"b": None}]}}):
        event = read(message)
        assert decode_event(encode_event(event)) == event


def test_defaults_are_not_written_but_type_and_version_are():
    written = json.loads(encode_event(read(PAGE)))
    assert (written["type"], written["schema_version"]) == ("page_viewed", 2)
    assert not {"context", "properties", "origin", "channel"} & set(written)


def test_an_event_that_an_older_release_logged_is_read_by_this_one():
    written = json.loads(encode_event(read(PAGE)))
    written |= {"schema_version": 1, "url": "https://shop.example/a?b"}
    del written["path"]
    event = decode_event(json.dumps(written).encode())
    assert event.type == "page_viewed"
    assert event.path == "/a"


def test_bytes_that_no_release_wrote_are_an_error_not_a_rejection():
    with pytest.raises(ValueError, match="type"):
        decode_event(b'{"type":"nonsense"}')


@pytest.mark.parametrize(
    "change",
    [{"more": 1}, {"context": {"more": 1}}, {"received_at": None}, {"channel": "pigeon"}],
    ids=str,
)
def test_a_record_with_a_field_too_many_or_too_few_or_odd_is_no_event(change):
    written = json.loads(encode_event(read(PAGE))) | change
    with pytest.raises(ValueError, match=r"unknown field|Expected|Invalid"):
        decode_event(json.dumps(written).encode())


def test_nobody_outside_can_fire_a_timer():
    at = datetime(2026, 11, 22, tzinfo=UTC)
    raw = encode_event(TimerFired(event_id="t", occurred_at=at, received_at=at, due_ms=0))
    assert refusal(raw)[0] in (Reason.UNKNOWN_TYPE, Reason.BAD_FIELD)
    assert refusal(b'{"type":"timer_fired"}') == (Reason.UNKNOWN_TYPE, "type")


BAD_BYTES = {
    "null": (None, Reason.EMPTY),
    "empty": (b"", Reason.EMPTY),
    "not JSON": (b"{", Reason.NOT_JSON),
    "a byte order mark": (b"\xef\xbb\xbf{}", Reason.NOT_JSON),
    "NaN": (b'{"a":NaN}', Reason.NOT_JSON),
    "Infinity": (b'{"a":-Infinity}', Reason.NOT_JSON),
    "a number out of range": (b'{"a":1e999999999}', Reason.NOT_JSON),
    "a lone surrogate": (b'{"a":"\\ud800"}', Reason.NOT_JSON),
    "invalid UTF-8": (b'{"a":"\xff"}', Reason.NOT_UTF8),
    "a list": (b"[]", Reason.BAD_FIELD),
    "a text": (b'"x"', Reason.BAD_FIELD),
    "deep nesting": (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, Reason.TOO_DEEP),
    "1 MB": (b'{"a":"' + b"x" * (1 << 20) + b'"}', Reason.TOO_LARGE),
}


@pytest.mark.parametrize("case", BAD_BYTES)
def test_bad_bytes_are_rejected_with_the_reason(case):
    raw, reason = BAD_BYTES[case]
    assert refusal(raw)[0] is reason


def deep(levels):
    return {"a": deep(levels - 1)} if levels else 1


MONEY = {"amount": "1", "currency": "USD"}
BAD_FIELDS = {
    "unknown type": (PAGE | {"type": "page_viewd"}, Reason.UNKNOWN_TYPE, "type"),
    "type of a wrong type": (PAGE | {"type": ["page_viewed"]}, Reason.UNKNOWN_TYPE, "type"),
    "newer version": (PAGE | {"schema_version": 3}, Reason.UNKNOWN_VERSION, "schema_version"),
    "version 0": (PAGE | {"schema_version": 0}, Reason.UNKNOWN_VERSION, "schema_version"),
    "version as text": (PAGE | {"schema_version": "2"}, Reason.UNKNOWN_VERSION, "schema_version"),
    "v1 without its url": (PAGE | {"schema_version": 1}, Reason.BAD_FIELD, "url"),
    "no identifiers": (PAGE | {"identifiers": {}}, Reason.NO_IDENTIFIER, "identifiers"),
    "null identifiers": (PAGE | {"identifiers": None}, Reason.NO_IDENTIFIER, "identifiers"),
    "unknown identifier": (
        PAGE | {"identifiers": {"passport": "x"}}, Reason.BAD_FIELD, "identifiers.0.type",
    ),
    "1970": (PAGE | {"occurred_at": "1970-01-01T00:00:00Z"}, Reason.BAD_TIME, "occurred_at"),
    "far future": (PAGE | {"occurred_at": "2026-11-23T02:00:01Z"}, Reason.BAD_TIME, "occurred_at"),
    "no zone": (PAGE | {"occurred_at": "2026-11-22T02:00:00"}, Reason.BAD_TIME, "occurred_at"),
    "sent in seconds": (PAGE | {"sent_at": 1_795_312_800}, Reason.BAD_TIME, "sent_at"),
    "sent in no zone": (
        PAGE | {"sent_at": "2026-11-22T02:00:00"}, Reason.BAD_TIME, "sent_at",
    ),
    "sent by another clock": (
        PAGE | {"sent_at": "1999-01-01T00:00:00Z"}, Reason.BAD_TIME, "occurred_at",
    ),
    "sent at no time of this world": (
        PAGE | {"sent_at": "0001-01-01T00:00:00+23:59"}, Reason.BAD_TIME, "occurred_at",
    ),
    "seconds": (PAGE | {"occurred_at": 1_795_312_800}, Reason.BAD_TIME, "occurred_at"),
    "year 1": (
        PAGE | {"occurred_at": "0001-01-01T00:00:00+23:59"}, Reason.BAD_TIME, "occurred_at",
    ),
    "another time's year": (
        TICKET | {"sla_due": "9999-12-31T23:59:59-12:00"},
        Reason.BAD_TIME, "sla_due",
    ),
    "text for a path": (PAGE | {"path": 7}, Reason.BAD_FIELD, "path"),
    "a field too many": (PAGE | {"paht": "/"}, Reason.BAD_FIELD, "paht"),
    "a field too few": (ORDER | {"order_id": None}, Reason.BAD_FIELD, "order_id"),
    "a long text": (PAGE | {"path": "x" * 2_001}, Reason.BAD_FIELD, "path"),
    "the receiver's field": (PAGE | {"customer_id": "c_1"}, Reason.BAD_FIELD, "customer_id"),
    "deep properties": (PAGE | {"properties": deep(9)}, Reason.TOO_DEEP, "properties"),
    "negative": (
        ORDER | {"total": {"amount": "-1", "currency": "USD"}}, Reason.BAD_AMOUNT, "total.amount",
    ),
    "not finite": (
        ORDER | {"total": {"amount": "NaN", "currency": "USD"}}, Reason.BAD_AMOUNT, "total.amount",
    ),
    "finer than a won": (
        ORDER | {"total": {"amount": "0.5", "currency": "KRW"}}, Reason.BAD_AMOUNT, "total",
    ),
    "no currency of this world": (
        ORDER | {"total": {"amount": "1", "currency": "XXX"}}, Reason.BAD_FIELD, "total.currency",
    ),
    "a line's price": (
        ORDER | {"lines": [{"sku": "a"}, {"sku": "b", "price": MONEY | {"amount": -1}}]},
        Reason.BAD_AMOUNT, "lines.1.price.amount",
    ),
    "two currencies": (
        ORDER | {"lines": [{"sku": "a", "price": {"amount": "1", "currency": "KRW"}}]},
        Reason.BAD_AMOUNT, "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_FIELDS)
def test_bad_fields_are_rejected_with_the_reason_and_the_place(case):
    message, reason, where = BAD_FIELDS[case]
    assert refusal(json.dumps(message).encode()) == (reason, where)


def test_numbers_are_taken_as_a_double_holds_them_but_amounts_as_they_are_written():
    def sent(fields, number):
        return json.dumps(fields).encode().replace(b'"?"', number)

    extremes = {b"1e308": 1e308, b"-1e-320": -1e-320, b"1e-999999999": 0.0, b"-0.0": 0.0}
    for number, value in extremes.items():
        assert parse(sent(PAGE | {"properties": {"a": "?"}}, number), WIRE).properties == {
            "a": value
        }
        order = sent(ORDER | {"total": MONEY | {"amount": "?"}}, number)
        if value:
            assert refusal(order) == (Reason.BAD_AMOUNT, "total.amount")
    nothing = sent(ORDER | {"total": MONEY | {"amount": "?"}}, b"1e-999999999")
    assert refusal(nothing) == (Reason.BAD_AMOUNT, "total.amount")
    assert refusal(sent(PAGE | {"properties": {"a": "?"}}, b"1e309"))[0] is Reason.NOT_JSON


def test_a_rejection_does_not_repeat_what_was_sent():
    with pytest.raises(TouchpointRejectedError) as rejected:
        read(PAGE | {"path": {"secret": "hunter2"}})
    assert "hunter2" not in str(rejected.value)


def test_an_unknown_format_is_rejected():
    assert refusal(b"{}", WIRE._replace(format="xml"))[0] is Reason.UNKNOWN_FORMAT


def test_headers_say_when_it_was_received_else_the_record_does():
    headers = [("received_at", b"1795312800000"), ("source", b"shop"), ("format", b"segment")]
    assert Wire.of(headers, 5, "t", 1, 2) == Wire(
        "segment", NOW_MS, "shop", topic="t", partition=1, offset=2
    )
    assert Wire.of([], 5, "t", 1, 2).received_ms == 5


def test_a_header_that_is_no_time_is_rejected():
    with pytest.raises(TouchpointRejectedError) as rejected:
        Wire.of([("received_at", b"soon")], 5, "t", 1, 2)
    assert (rejected.value.reason, rejected.value.where) == (
        Reason.BAD_TIME,
        "headers.received_at",
    )


def test_a_record_without_any_time_is_rejected():
    assert refusal(json.dumps(PAGE).encode(), WIRE._replace(received_ms=-1)) == (
        Reason.BAD_TIME,
        "received_at",
    )


def test_of_a_field_given_twice_the_last_one_counts():
    raw = json.dumps(PAGE).encode()[:-1] + b',"path":"/last"}'
    assert parse(raw, WIRE).path == "/last"


def test_the_documented_example_is_accepted():
    text = (Path(__file__).parents[2] / "docs" / "ingest.md").read_text("utf-8")
    example = text.split("-d '", 1)[1].split("}'\n", 1)[0] + "}"
    event = parse(example.encode(), WIRE)
    assert event.type == "order_placed"
    assert (event.total.minor, event.units) == (5900, 2)
