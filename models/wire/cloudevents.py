"""CloudEvents 1.0, structured: one JSON object that holds attributes and data.

An event is one by source and id together, so both make the event's id. A `type`
of ours ("customer360.order_placed") is typed; any other becomes `custom`.
"""

from __future__ import annotations

import base64
import binascii
from hashlib import blake2b

import msgspec

from models.errors import Reason, TouchpointRejectedError
from models.wire.reading import Json, given, text

OURS = "customer360."
_decode = msgspec.json.Decoder().decode


def from_cloudevents(message: Json, sent_at: str | None) -> Json:
    """Map one CloudEvent. `subject` names the customer: "email:ana@example.com", or a user id."""
    if message.get("specversion") != "1.0":
        raise TouchpointRejectedError(Reason.UNKNOWN_VERSION, "only 1.0", "specversion")
    source, own_id, kind = (_attribute(message, name) for name in ("source", "id", "type"))
    data = _data(message)
    if kind.startswith(OURS):
        event = data | {"type": kind.removeprefix(OURS)}
    else:
        who = given(identifiers=data.pop("identifiers", None))
        event = who | {"type": "custom", "name": kind, "properties": data}
    event["event_id"] = _event_id(source, own_id)
    if (at := message.get("time")) is not None:
        event["occurred_at"] = at
    if (subject := text(message.get("subject"))) and "identifiers" not in event:
        event["identifiers"] = [_customer(subject)]
    return event


def _attribute(message: Json, name: str) -> str:
    value = message.get(name)
    if not isinstance(value, str) or not value:
        raise TouchpointRejectedError(Reason.BAD_FIELD, "a CloudEvent must have it", name)
    return value


def _event_id(source: str, own_id: str) -> str:
    whole = f"{source}#{own_id}"
    if len(whole) <= 200:
        return whole
    return blake2b(whole.encode(), digest_size=16).hexdigest()


def _customer(subject: str) -> Json:
    kind, colon, value = subject.partition(":")
    return {"type": kind, "value": value} if colon else {"type": "user_id", "value": subject}


def _data(message: Json) -> Json:
    data = message.get("data")
    if "data_base64" in message:
        try:
            data = _decode(base64.b64decode(str(message["data_base64"]), validate=True))
        except (binascii.Error, ValueError, RecursionError) as error:
            detail = "not JSON in base64"
            raise TouchpointRejectedError(Reason.NOT_JSON, detail, "data_base64") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise TouchpointRejectedError(Reason.BAD_FIELD, "must be a JSON object", "data")
    return data
