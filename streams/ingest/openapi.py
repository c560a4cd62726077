"""The OpenAPI document.

Paths come out of the table that makes the routes, bodies out of the classes that judge them.
"""

from __future__ import annotations

from functools import cache

import msgspec

from models.schema import REF, touchpoints
from streams.ingest.asking import KINDS, Kind
from streams.ingest.commands import Asked
from streams.ingest.routes import CALLS, ENDPOINTS, Endpoint, Handler, healthz, metrics
from streams.ingest.shapes import SCHEMAS, Json

_TROUBLE = {
    400: "the body cannot be read",
    401: "no such write key",
    413: "too large, or too many events",
    415: "neither JSON nor gzip of it",
    422: "the one event of this request was rejected; it is in the log, to be buried whole",
    429: "too many events a second; see Retry-After",
    503: "Kafka is away or slow, nothing is acknowledged; see Retry-After",
}
_COMMAND_TROUBLE = _TROUBLE | {
    401: "no such key",
    403: "a write key or a read key: only an admin key may command",
    413: "too large",
    415: "neither JSON nor gzip of it",
    422: "it cannot be done as it is said; `where` names the field or header",
    429: "too many commands a second; see Retry-After",
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


_SECURITY: Json = {
    "HTTPBasic": {
        "type": "http",
        "description": "the write key as user name, any password",
        "scheme": "basic",
    },
    "HTTPBearer": {"type": "http", "description": "the write key", "scheme": "bearer"},
}
_COMMAND_SECURITY: Json = {
    "AdminBasic": {
        "type": "http",
        "description": "an admin key as user name, any password",
        "scheme": "basic",
    },
    "AdminBearer": {"type": "http", "description": "an admin key", "scheme": "bearer"},
}
_IDEMPOTENCY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "the same key and body again give the first answer again, and do nothing more",
    "schema": {"type": "string", "maxLength": 200},
}
_CALL_PARAMETER: Json = {
    "name": "call",
    "in": "path",
    "required": True,
    "schema": {"enum": list(CALLS), "type": "string"},
}


@cache
def document() -> Json:
    """Return the OpenAPI document, touchpoints and all."""
    touchpoint = _ref("Touchpoint")
    schemas = touchpoints() | SCHEMAS
    several = {"type": "array", "items": touchpoint}
    schemas["Touchpoints"] = {"anyOf": [touchpoint, several, _ref("TouchpointBatch")]}
    schemas["CloudEventBatch"] = {"type": "array", "items": _ref("CloudEvent")}
    schemas["CloudEventData"] = {"type": "object", "description": "attributes are ce- headers"}
    schemas["Accepted"] = {"anyOf": [_ref("Verdict"), _ref("Verdicts")]}
    _, commands = msgspec.json.schema_components(
        [Asked, *(kind.body for kind in KINDS)], ref_template=REF.format(model="{name}")
    )
    schemas |= commands
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "customer360 ingest",
            "description": "Touchpoints in: acknowledged once Kafka has them, judged one by one.",
            "version": "1",
        },
        "paths": {one.path: {"post": _posting(one)} for one in ENDPOINTS}
        | {kind.path: {"post": _commanding(kind)} for kind in KINDS}
        | {
            "/healthz": {"get": _getting(healthz, "application/json", {"type": "object"})},
            "/metrics": {"get": _getting(metrics, "text/plain", {"type": "string"})},
        },
        "components": {"securitySchemes": _SECURITY | _COMMAND_SECURITY, "schemas": schemas},
    }


def _posting(endpoint: Endpoint) -> Json:
    operation: Json = {
        "summary": endpoint.name.capitalize(),
        "description": endpoint.about,
        "operationId": endpoint.name,
        "security": [{name: []} for name in _SECURITY],
        "requestBody": {
            "required": True,
            "content": {
                kind: {"schema": _ref(name)} for kind, name in _BODIES[endpoint.body].items()
            },
        },
        "responses": {
            "200": {
                "description": "acknowledged by Kafka",
                "content": _content("Accepted" if endpoint.several else "Verdict"),
            }
        }
        | _troubles(_TROUBLE),
    }
    if "{call}" in endpoint.path:
        operation["parameters"] = [_CALL_PARAMETER]
    return operation


def _commanding(kind: Kind) -> Json:
    return {
        "summary": kind.name.capitalize(),
        "description": kind.about,
        "operationId": kind.name,
        "security": [{name: []} for name in _COMMAND_SECURITY],
        "parameters": [_IDEMPOTENCY],
        "requestBody": {"required": True, "content": _content(kind.body.__name__)},
        "responses": {"202": {"description": "acknowledged by Kafka", "content": _content("Asked")}}
        | _troubles(_COMMAND_TROUBLE),
    }


def _troubles(said: dict[int, str]) -> Json:
    return {
        str(status): {
            "description": text,
            "content": _content("Problem", "application/problem+json"),
        }
        for status, text in sorted(said.items())
    }


def _getting(handler: Handler, kind: str, schema: Json) -> Json:
    name = handler.__name__
    answers: Json = {"200": {"description": "now", "content": {kind: {"schema": schema}}}}
    if name == "healthz":
        answers["503"] = {"description": "Kafka is away or slow"}
    return {
        "summary": name.capitalize(),
        "description": handler.__doc__,
        "operationId": name,
        "responses": answers,
    }


def _content(name: str, kind: str = "application/json") -> Json:
    return {kind: {"schema": _ref(name)}}


def _ref(name: str) -> Json:
    return {"$ref": REF.format(model=name)}
