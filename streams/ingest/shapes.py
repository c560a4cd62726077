"""What goes over the wire, as JSON Schema: where no class of ours judges it, or none is sent.

Requests in the forms of Segment and CloudEvents, and the answers to events.
"""

from __future__ import annotations

from typing import Any, Final

from models.schema import REF

Json = dict[str, Any]
_TIME: Json = {"type": "string", "format": "date-time"}
_PROBLEM: Json = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "message": {"type": "string"},
        "reason": {"type": "string", "description": "422: why the event was rejected"},
        "where": {"type": "string", "description": "422: path of the offending field"},
        "receipt": {"type": "string", "description": "422: where it is in the log all the same"},
    },
}
_VERDICT: Json = {
    "type": "object",
    "required": ["status", "receipt"],
    "properties": {
        "index": {"type": "integer", "description": "place in the batch, from 0"},
        "status": {"enum": ["accepted", "rejected"]},
        "event_id": {"type": "string"},
        "receipt": {"type": "string", "examples": ["touchpoints/3:1234"]},
        "reason": {"type": "string"},
        "where": {"type": "string"},
        "detail": {"type": "string"},
    },
}
_VERDICTS: Json = {
    "type": "object",
    "required": ["accepted", "rejected", "verdicts"],
    "properties": {
        "accepted": {"type": "integer"},
        "rejected": {"type": "integer"},
        "verdicts": {"type": "array", "items": {"$ref": REF.format(model="Verdict")}},
    },
}
_CALL: Json = {
    "type": "object",
    "description": "A Segment call. A userId, an anonymousId, or an e-mail in the traits is needed",
    "properties": {
        "type": {"enum": ["identify", "track", "page", "screen", "group", "alias"]},
        "messageId": {"type": "string"},
        "userId": {"type": ["string", "number", "null"]},
        "anonymousId": {"type": ["string", "null"]},
        "event": {"type": "string", "examples": ["Order Completed"]},
        "properties": {"type": "object"},
        "traits": {"type": "object"},
        "groupId": {"type": "string"},
        "previousId": {"type": "string"},
        "timestamp": _TIME,
        "originalTimestamp": _TIME | {"description": "by the sender's clock, before `timestamp`"},
        "sentAt": _TIME | {"description": "by the same clock: what it is off by is taken away"},
        "receivedAt": _TIME | {"description": "by who passes it on: `timestamp` is right already"},
        "context": {"type": "object"},
    },
}
_BATCH: Json = {
    "type": "object",
    "required": ["batch"],
    "properties": {
        "batch": {"type": "array", "items": {"$ref": REF.format(model="SegmentCall")}},
        "sentAt": _TIME | {"description": "of those calls that do not say it themselves"},
    },
}
_NATIVE_BATCH: Json = {
    "type": "object",
    "required": ["events"],
    "additionalProperties": False,
    "properties": {
        "events": {"type": "array", "items": {"$ref": REF.format(model="Touchpoint")}},
        "sent_at": _TIME | {"description": "of those events that do not say it themselves"},
    },
}
_CLOUD: Json = {
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string"},
        "source": {"type": "string", "format": "uri-reference"},
        "type": {"type": "string", "examples": ["customer360.order_placed"]},
        "subject": {"type": "string", "examples": ["user_id:ana"]},
        "time": _TIME,
        "data": {"type": "object"},
    },
}
SCHEMAS: Final[Json] = {
    "Problem": _PROBLEM,
    "Verdict": _VERDICT,
    "Verdicts": _VERDICTS,
    "SegmentCall": _CALL,
    "SegmentBatch": _BATCH,
    "TouchpointBatch": _NATIVE_BATCH,
    "CloudEvent": _CLOUD,
}
