"""One request, split into its events: each one's own bytes, as received.

Only the frame is read here; what an event says is judged one by one, so that a
bad one never sinks its batch.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple, TypeVar
from urllib.parse import unquote

import msgspec
from msgspec import Raw, Struct
from starlette.requests import Request

from streams.ingest.problems import ProblemError

STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"
JSON = ("application/json", "text/json", "text/plain", "")


class Sent(NamedTuple):
    """What one request brought. `single`: it is answered as one event, not as a list."""

    format: str
    events: list[bytes]
    single: bool = False
    sent_at: str | None = None


Frame = TypeVar("Frame")


class _SegmentBatch(Struct):
    batch: list[Raw]
    sentAt: str | None = None  # Segment's name


class _NativeBatch(Struct, forbid_unknown_fields=True):
    events: list[Raw]
    sent_at: str | None = None


_segment_batch = msgspec.json.Decoder(_SegmentBatch)
_native_batch = msgspec.json.Decoder(_NativeBatch)
_object = msgspec.json.Decoder(dict[str, Raw])
_array = msgspec.json.Decoder(list[Raw])


def media_type(request: Request) -> str:
    """Return the content type without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def expect_json(request: Request) -> None:
    """Raise ProblemError 415 unless the body is said to be JSON."""
    if media_type(request) not in JSON:
        raise _unsupported("application/json")


def expect_cloudevents(request: Request) -> None:
    """Raise ProblemError 415 unless the request is of one of CloudEvents' three modes."""
    if media_type(request) in (BATCHED, STRUCTURED):
        return
    if "ce-specversion" not in request.headers:
        raise _unsupported(f"{STRUCTURED}, {BATCHED}, or application/json with ce- headers")
    expect_json(request)


def segment_call(call: str, body: bytes) -> Sent:
    """Return one Segment call; its type is the path's."""
    event = body.strip()
    if not (event.startswith(b"{") and event.endswith(b"}")):
        raise _unreadable("a call is a JSON object")
    comma = b"" if event[1:-1].strip() == b"" else b","
    return Sent("segment", [b'%s%s"type":"%s"}' % (event[:-1], comma, call.encode())], single=True)


def segment_batch(body: bytes) -> Sent:
    """Return the calls of a Segment batch."""
    frame = _read(_segment_batch, body)
    return Sent("segment", [bytes(raw) for raw in frame.batch], sent_at=frame.sentAt)


def native(body: bytes) -> Sent:
    """Return one event of our own format, an array of them, or a batch that says when it left."""
    if body.lstrip()[:1] == b"[":
        return Sent("native", [bytes(raw) for raw in _read(_array, body)])
    if b'"events"' in body and _is_batch(body):
        frame = _read(_native_batch, body)
        return Sent("native", [bytes(raw) for raw in frame.events], sent_at=frame.sent_at)
    return Sent("native", [body], single=True)


def _is_batch(body: bytes) -> bool:
    try:
        fields = _object.decode(body)
    except (ValueError, RecursionError):
        return False  # judged as the one event it may have been meant to be
    return "events" in fields and "type" not in fields


def cloudevents(request: Request, body: bytes) -> Sent:
    """Return the CloudEvents of a structured, batched or binary request."""
    kind = media_type(request)
    if kind == BATCHED:
        return Sent("cloudevents", [bytes(raw) for raw in _read(_array, body)])
    if kind == STRUCTURED:
        return Sent("cloudevents", [body], single=True)
    return Sent("cloudevents", [_structured(request, body)], single=True)


def _structured(request: Request, body: bytes) -> bytes:
    attributes = {
        name.removeprefix("ce-"): unquote(value)
        for name, value in request.headers.items()
        if name.startswith("ce-") and name != "ce-data"
    }
    rest = msgspec.json.encode(attributes)[1:]
    # The data goes in as it came, and first: of a name given twice the last one counts.
    return b'{"data":%s,%s' % (body, rest) if body.strip() else b"{" + rest


def _read(decoder: msgspec.json.Decoder[Frame], body: bytes) -> Frame:
    try:
        return decoder.decode(body)
    except UnicodeDecodeError as error:
        raise _unreadable("not UTF-8") from error
    except RecursionError as error:
        raise _unreadable("nested too deep") from error
    except ValueError as error:
        raise _unreadable(str(error)) from error


def _unreadable(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.BAD_REQUEST, detail)


def _unsupported(wanted: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send {wanted}", headers={"Accept": wanted}
    )
