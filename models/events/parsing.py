"""A touchpoint out of the bytes that came in, or the reason why there is none.

`parse` raises TouchpointRejectedError and nothing else, whatever the bytes are,
and reads no clock: the same bytes and headers always give the same touchpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from math import isinf
from typing import Final

import msgspec
from pydantic import TypeAdapter, ValidationError

from models.errors import Reason, TouchpointRejectedError
from models.events.clock import believed, moved, read_time
from models.events.codec import TOUCHPOINTS, lean
from models.events.envelope import OURS, Wire, instant
from models.events.rejection import rejection
from models.events.sent import LONGEST_NUMBER, read_sent
from models.events.union import Touchpoint
from models.upcasters import upcast
from models.wire import FORMATS, Json

MAX_BYTES: Final = 256 * 1024


def parse(raw: bytes | None, wire: Wire, max_bytes: int = MAX_BYTES) -> Touchpoint:
    """Read one touchpoint, as its lean form. Raises TouchpointRejectedError: why, and where."""
    if wire.format == "native" and raw and len(raw) <= max_bytes:
        touchpoint = read_sent(raw, wire)
        if touchpoint is not None:
            return touchpoint
    return _judged(raw, wire, max_bytes)


def _judged(raw: bytes | None, wire: Wire, max_bytes: int) -> Touchpoint:
    """Read a touchpoint step by step: what is odd, or wrong, and has to be told what."""
    message = _json(raw, max_bytes)
    to_native = FORMATS.get(wire.format)
    if to_native is None:
        raise TouchpointRejectedError(Reason.UNKNOWN_FORMAT, f"no format {wire.format[:40]!r}")
    received = instant(wire.received_ms, "received_at")
    event = to_native(message, wire.sent_at)
    if wire.format != "native" and (touchpoint := _by_the_book(event, wire)) is not None:
        return touchpoint
    _refuse_what_is_ours(event)
    event = upcast(event)
    _spell_out_identifiers(event)
    _stamp(event, wire, received)
    try:
        return lean(_validate(event))
    except ValidationError as error:
        raise rejection(error) from error


def _by_the_book(event: Json, wire: Wire) -> Touchpoint | None:
    """Read a mapped event as if it had been sent in our own format; None: step by step."""
    said = event.get("occurred_at")  # a mapping may have made a time of it, zone and all
    try:
        return read_sent(_write(event), wire, said if isinstance(said, datetime) else None)
    except (ValueError, OverflowError, RecursionError):
        return None


def _refuse_what_is_ours(event: Json) -> None:
    for name in OURS:
        if name in event:
            raise TouchpointRejectedError(Reason.BAD_FIELD, "set by the receiver, not sent", name)
    kind = event.get("type")
    if not isinstance(kind, str) or kind not in TYPES:
        detail = f"no touchpoint type {str(kind)[:40]!r}"
        raise TouchpointRejectedError(Reason.UNKNOWN_TYPE, detail, "type")


def _spell_out_identifiers(event: Json) -> None:
    """They may be written short: {"user_id": "ana", "email": ["a@x.kr", "b@x.kr"]}."""
    identifiers = event.get("identifiers")
    if isinstance(identifiers, dict):
        event["identifiers"] = [
            {"type": kind, "value": value}
            for kind, values in identifiers.items()
            for value in (values if isinstance(values, list) else [values])
        ]


def _number(text: str) -> Decimal:
    """Keep a number exact; refuse one that is larger than a double, or absurdly long."""
    if len(text) > LONGEST_NUMBER or isinf(float(text)):
        raise ValueError("a number out of range")
    number = Decimal(text)
    fine = number and number.adjusted() <= _LEAST.adjusted()
    return _LEAST.copy_sign(number) if fine else number


_LEAST: Final = Decimal("1e-400")  # to a double it is nothing; to an amount it is too fine
_decode: Final = msgspec.json.Decoder(float_hook=_number).decode
_write: Final = msgspec.json.Encoder(decimal_format="number").encode
_touchpoints: TypeAdapter[Touchpoint] = TypeAdapter(Touchpoint)
_validate: Final[Callable[[Json], Touchpoint]] = _touchpoints.validator.validate_python
TYPES: Final = frozenset(member.model_fields["type"].default for member in TOUCHPOINTS)


def _json(raw: bytes | None, max_bytes: int) -> Json:
    if not raw:
        raise TouchpointRejectedError(Reason.EMPTY, "a null or empty value")
    if len(raw) > max_bytes:
        detail = f"{len(raw)} bytes, and {max_bytes} are allowed"
        raise TouchpointRejectedError(Reason.TOO_LARGE, detail)
    try:
        message = _decode(raw)
    except UnicodeDecodeError as error:
        raise TouchpointRejectedError(Reason.NOT_UTF8, str(error)) from error
    except RecursionError as error:
        raise TouchpointRejectedError(Reason.TOO_DEEP, "nested too deep to read") from error
    except ValueError as error:
        raise TouchpointRejectedError(Reason.NOT_JSON, str(error)) from error
    if not isinstance(message, dict):
        raise TouchpointRejectedError(Reason.BAD_FIELD, "an event is a JSON object")
    return message


def _stamp(event: Json, wire: Wire, received: datetime) -> None:
    """Add what the receiver knows, and hold the event's time against it."""
    event["received_at"] = received
    event["source"] = wire.source
    if wire.observed_until_ms is not None:
        event["observed_until"] = instant(wire.observed_until_ms, "observed_until")
    if not event.get("event_id"):
        event["event_id"] = wire.place
    occurred = _occurred(event, wire, received)
    event["occurred_at"] = believed(occurred, received)
    offset = occurred.utcoffset()
    if offset:  # UTC is the usual way to send a time: it tells no zone
        event.setdefault("utc_offset_minutes", offset // timedelta(minutes=1))


def _occurred(event: Json, wire: Wire, received: datetime) -> datetime:
    """Return when it happened by our clock, as far as the sender says what his own says."""
    said, left = event.get("occurred_at"), event.pop("sent_at", None)
    left = wire.sent_at if left is None else left
    sent = None if left is None else _time(left, "sent_at")
    if "occurred_at" not in event:
        return received
    occurred = _time(said, "occurred_at")
    # A backfill is sent long after: the time that its rows were sent once is no measure.
    if sent is None or wire.observed_until_ms is not None:
        return occurred
    return moved(occurred, sent, received)


def _time(said: object, where: str) -> datetime:
    """Read a time, unless a mapping has."""
    return said if isinstance(said, datetime) else read_time(said, where)
