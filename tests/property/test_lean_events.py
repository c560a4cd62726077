"""The lean form of an event is its model's in all but cost: the same values, bytes and refusals."""

import json
from typing import Annotated

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, TypeAdapter, field_validator

from models.errors import TouchpointRejectedError
from models.events import Event, Wire, decode_event, encode_event, lean, parse, parsing
from models.events.codec import LEAN, TOUCHPOINTS
from models.events.lean import part_of
from models.events.parsing import _judged
from models.events.sent import LONGEST_NUMBER, read_sent
from tests.property.test_parse_rejects_cleanly import NOW_MS, VALID, changed, mutants, odd, places
from tests.support.any_event import as_sent, events

KINDS = list(LEAN)
WIRE = Wire("native", NOW_MS, "shop", topic="touchpoints", partition=3, offset=7)
MODELS = TypeAdapter(Event)
each = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
each_touchpoint = pytest.mark.parametrize("kind", TOUCHPOINTS, ids=lambda kind: kind.__name__)
lawful = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))


def plain(value):
    """A value as it is compared: a part, in either form, by its fields."""
    if isinstance(value, BaseModel):
        return {name: plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    return value


def derived(kind):
    """What a class tells of its events beside their fields."""
    return [
        name
        for base in kind.__mro__[: kind.__mro__.index(BaseModel)]
        for name, said in vars(base).items()
        if isinstance(said, property)
    ]


@each
@lawful
@given(st.data())
def test_an_event_says_the_same_in_either_form(kind, data):
    event = data.draw(events(kind))
    light = lean(event)
    for name in (*kind.model_fields, *derived(kind)):
        assert plain(getattr(light, name)) == plain(getattr(event, name)), name
    assert [str(one) for one in getattr(light, "identifiers", ())] == [
        str(one) for one in getattr(event, "identifiers", ())
    ]


@each
@lawful
@given(st.data())
def test_what_is_written_is_read_back_in_either_form(kind, data):
    event = data.draw(events(kind))
    written = encode_event(event)
    assert decode_event(written) == lean(event)
    assert encode_event(decode_event(written)) == written
    assert MODELS.validate_json(written) == event


@each
@lawful
@given(st.data())
def test_a_record_of_the_log_that_no_model_takes_is_no_event(kind, data):
    event = json.loads(encode_event(data.draw(events(kind))))
    where = data.draw(st.sampled_from([path for path in places(event) if path]))
    new = data.draw(odd)
    if where[0] in ("type", "schema_version") or where[0] in ("properties", "traits", "state"):
        return  # another kind, or what may hold anything
    record = json.dumps(changed(event, where, new)).encode()
    try:
        read = decode_event(record)
    except ValueError:
        return
    assert MODELS.validate_json(record) == MODELS.validate_json(encode_event(read))


def agree(raw, wire=WIRE):
    """What the short way gives, the models give too; return it."""
    light = read_sent(raw, wire)
    if light is not None:
        assert light == _judged(raw, wire, len(raw))
    return light


@each_touchpoint
@lawful
@given(st.data())
def test_what_is_sent_by_the_book_is_read_the_short_way(kind, data):
    said = as_sent(data.draw(events(kind)))
    if "properties" in said:  # how deep they go is tried below
        said["properties"] = {"a": [1, {"b": None, "c": [2.5, "x", True]}]}
    assert agree(json.dumps(said).encode()) is not None


@each_touchpoint
@lawful
@given(st.data())
def test_the_short_way_takes_nothing_that_the_models_refuse(kind, data):
    said = as_sent(data.draw(events(kind)))
    said = changed(said, data.draw(st.sampled_from(list(places(said)))), data.draw(odd))
    if isinstance(said, dict) and data.draw(st.booleans()):
        names = ("source", "received_at", "customer_id", "origin", "utc_offset_minutes", "sent_at")
        # A copy: what is drawn is shared between examples, and might come to hold itself.
        said = {**said, data.draw(st.sampled_from(names)): data.draw(odd)}
    agree(json.dumps(said).encode())


clocks = st.sampled_from(
    [
        *("2026-11-22T02:00:00+09:00", "2026-11-22T01:59:59.999999Z", "2026-11-22"),
        *("1999-01-01T00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"),
        *("", "soon", 7, None),
    ]
)


@settings(max_examples=300, deadline=None)
@given(clocks, clocks, clocks, st.none() | st.just(NOW_MS))
def test_times_of_sending_are_taken_alike_by_both_ways(occurred, own, batch, until):
    said = {"type": "page_viewed", "identifiers": {"user_id": "ana"}, "path": "/", "sent_at": own}
    if occurred is not None:
        said["occurred_at"] = occurred
    left = batch if isinstance(batch, str) else None
    agree(json.dumps(said).encode(), WIRE._replace(sent_at=left, observed_until_ms=until))


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutants(), st.integers(0, 2_000), st.binary(max_size=3))
def test_damaged_bytes_are_taken_by_no_way_alone(mutant, at, noise):
    _, raw = mutant
    agree(raw)
    agree(raw[:at] + noise + raw[at + 1 :])


@pytest.mark.parametrize(("form", "message"), VALID, ids=lambda part: str(part)[:20])
def test_a_mapped_event_is_read_the_short_way_as_by_the_models(form, message, monkeypatch):
    raw, wire = (
        json.dumps(message).encode(),
        WIRE._replace(format=form, sent_at="2026-11-22T01:00:02+09:00"),
    )
    light = parse(raw, wire)
    monkeypatch.setattr(parsing, "read_sent", lambda *_: None)
    assert parse(raw, wire) == light


EDGES = {
    "a zone of odd minutes": {"occurred_at": "2026-11-22T10:30:00+09:07"},
    "a zone of seconds": {"occurred_at": "2026-11-22T10:30:00+09:00:30"},
    "a zone beside a time in UTC": {"utc_offset_minutes": 540},
    "no zone, said outright": {
        "occurred_at": "2026-11-22T10:30:00+09:00",
        "utc_offset_minutes": None,
    },
    "nanoseconds": {"occurred_at": "2026-11-22T01:30:00.123456789Z"},
    "a week's day": {"occurred_at": "2026-W47-7T01:30:00Z"},
    "a time of sending": {"sent_at": "2026-11-22T10:30:00+09:00"},
    "no time of sending": {"sent_at": None},
    "an empty id": {"event_id": ""},
    "defaults said outright": {"channel": "other", "context": {}, "properties": {}},
    "a visitor named twice": {"identifiers": {"anonymous_id": ["a", "a"]}},
}


@pytest.mark.parametrize("case", EDGES)
def test_at_the_edges_both_ways_lead_to_the_same(case):
    said = {
        "type": "ticket_opened", "ticket_id": "t1", "identifiers": {"user_id": "ana"},
        "occurred_at": "2026-11-22T01:30:00Z", "sla_due": "2026-11-23T09:00:00.5+09:00",
    } | EDGES[case]  # fmt: skip
    assert agree(json.dumps(said).encode()) is not None


digits = st.text("0123456789", max_size=30)
exponents = st.one_of(st.just(""), st.integers(-450, 450).map("e{}".format))


@st.composite
def literals(draw):
    """Numbers as JSON writes them, some of them about as long as one may be, or longer."""
    long = draw(st.sampled_from("0193")) * draw(st.one_of(st.just(0), st.integers(330, 480)))
    whole = draw(st.sampled_from(["0", "7", "9" * 30, "1" + long]))
    return (
        draw(st.sampled_from(["", "-"])) + whole + "." + long + draw(digits) + "0" + draw(exponents)
    )


@settings(max_examples=300, deadline=None)
@example("0." + "0" * 380 + "e-50", 0)
@given(literals(), st.integers(0, 190))
def test_a_number_is_taken_by_both_ways_or_by_none_however_long_it_is(literal, before):
    who = '"identifiers":{"user_id":"ana"}'
    for message in (
        '{"type":"page_viewed","path":"/%s","properties":{"n":%s},%s}',
        '{"type":"order_placed","order_id":"%s","total":{"amount":%s,"currency":"USD"},%s}',
    ):
        raw = (message % ("p" * before, literal, who)).encode()
        light = agree(raw)
        if light is not None:
            assert encode_event(light) == encode_event(_judged(raw, WIRE, len(raw)))


@pytest.mark.parametrize("before", range(0, 200, 7))
def test_a_number_too_long_is_refused_wherever_it_is(before):
    head = '{"type":"page_viewed","identifiers":{"user_id":"ana"},"path":"/' + "p" * before
    for length, taken in ((LONGEST_NUMBER, True), (LONGEST_NUMBER + 1, False)):
        raw = (head + '","properties":{"n":0.' + "1" * (length - 2) + "}}").encode()
        assert (agree(raw) is not None) is taken
        if not taken:
            with pytest.raises(TouchpointRejectedError, match="out of range"):
                parse(raw, WIRE)


def test_a_time_finer_than_a_microsecond_is_cut_either_way():
    said = {"type": "ticket_opened", "ticket_id": "t1", "identifiers": {"user_id": "ana"}}
    raw = json.dumps(said | {"sla_due": "2026-11-23T09:00:00.1234567Z"}).encode()
    assert read_sent(raw, WIRE) is None
    assert parse(raw, WIRE).sla_due.microsecond == 123_456


def test_nesting_without_end_is_no_event():
    for raw in (b'{"a":' * 20_000, b'{"type":"custom","properties":{"a":' + b"[" * 20_000):
        with pytest.raises(ValueError, match=r"."):
            decode_event(raw)


def test_a_model_that_a_struct_cannot_stand_for_is_refused():
    class Shouted(BaseModel):
        text: Annotated[str, AfterValidator(str.upper)]

    class Odd(BaseModel):
        number: complex

    class Checked(BaseModel):
        text: str

        @field_validator("text")
        @classmethod
        def _quiet(cls, text):
            return text.lower()

    for model in (Shouted, Odd, Checked):
        with pytest.raises(TypeError, match="no lean form"):
            part_of(model)
