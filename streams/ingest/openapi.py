"""What the OpenAPI document says of bodies that are read by hand.

The bodies go to the log as received, so FastAPI does not parse them; the schemas
come from the same classes that judge them.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from models.schema import REF, touchpoints

Json = dict[str, Any]
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
        "timestamp": {"type": "string", "format": "date-time"},
        "sentAt": {"type": "string", "format": "date-time"},
        "context": {"type": "object"},
    },
}
_BATCH: Json = {
    "type": "object",
    "required": ["batch"],
    "properties": {
        "batch": {"type": "array", "items": {"$ref": REF.format(model="SegmentCall")}},
        "sentAt": {"type": "string", "format": "date-time"},
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
        "time": {"type": "string", "format": "date-time"},
        "data": {"type": "object"},
    },
}
_SCHEMAS: Json = {
    "Problem": _PROBLEM,
    "Verdict": _VERDICT,
    "Verdicts": _VERDICTS,
    "SegmentCall": _CALL,
    "SegmentBatch": _BATCH,
    "CloudEvent": _CLOUD,
}
_TROUBLE = {
    400: "the body cannot be read",
    401: "no such write key",
    413: "too large, or too many events",
    415: "neither JSON nor gzip of it",
    422: "the one event of this request was rejected; it is in the log, to be buried whole",
    429: "too many events a second; see Retry-After",
    503: "Kafka is away or slow, nothing is acknowledged; see Retry-After",
}
_BODIES: dict[str, Json] = {
    "SegmentCall": {"application/json": "SegmentCall"},
    "SegmentBatch": {"application/json": "SegmentBatch"},
    "Touchpoints": {"application/json": "Touchpoints"},
    "CloudEvents": {
        "application/cloudevents+json": "CloudEvent",
        "application/cloudevents-batch+json": "CloudEventBatch",
        "application/json": "CloudEventData",
    },
}


def describe(body: str, several: bool = False) -> Json:
    """Return what a route's decorator says of its body and answers."""
    content = {
        kind: {"schema": {"$ref": REF.format(model=name)}} for kind, name in _BODIES[body].items()
    }
    trouble = {
        status: {"description": text, "content": _content("Problem", "application/problem+json")}
        for status, text in _TROUBLE.items()
    }
    accepted = {
        "description": "acknowledged by Kafka",
        "content": _content("Accepted" if several else "Verdict"),
    }
    return {
        "openapi_extra": {"requestBody": {"required": True, "content": content}},
        "responses": {200: accepted} | trouble,
    }


def _content(name: str, kind: str = "application/json") -> Json:
    return {kind: {"schema": {"$ref": REF.format(model=name)}}}


def document(app: FastAPI) -> Json:
    """Return the OpenAPI document, touchpoints and all."""
    if app.openapi_schema is None:
        found = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        schemas = found.setdefault("components", {}).setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        touchpoint = {"$ref": REF.format(model="Touchpoint")}
        several = {"type": "array", "items": touchpoint}
        one = {"$ref": REF.format(model="CloudEvent")}
        schemas |= touchpoints() | _SCHEMAS
        schemas["Touchpoints"] = {"anyOf": [touchpoint, several]}
        schemas["CloudEventBatch"] = {"type": "array", "items": one}
        schemas["CloudEventData"] = {"type": "object", "description": "attributes are ce- headers"}
        schemas["Accepted"] = {
            "anyOf": [{"$ref": REF.format(model=name)} for name in ("Verdict", "Verdicts")]
        }
        app.openapi_schema = found
    return app.openapi_schema
