"""The published language as JSON Schema, said by the classes that judge and write it."""

from __future__ import annotations

from typing import Any

import msgspec
from pydantic import TypeAdapter

from models.customer import Customer
from models.events import Event, Touchpoint
from models.events.envelope import OURS
from models.records import Alert, Command, Decision, Delivery, Example, Reserved, Score
from models.reports import Report

Json = dict[str, Any]
REF = "#/components/schemas/{model}"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
RECORDS = (Customer, Score, Decision, Alert, Delivery, Example, Command, Reserved, Report)
# What `parse` fills in when it is not sent.
_OPTIONAL = ("event_id", "occurred_at", "schema_version")
_SHORT: Json = {
    "type": "object",
    "description": 'written short: {"user_id": "ana", "email": ["a@x.kr", "b@x.kr"]}',
    "additionalProperties": {
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
    },
}

_SENT: Json = {
    "type": "string",
    "format": "date-time",
    "description": "when it was sent, by the clock that says `occurred_at`, which is moved by "
    "what lies between that and its receipt",
}


def touchpoints(ref: str = REF) -> Json:
    """Return the schema of each touchpoint as it is sent, and of `Touchpoint`, by name."""
    found = _definitions("Touchpoint", TypeAdapter(Touchpoint), ref)
    for definition in found.values():
        if "identifiers" in definition.get("properties", {}):
            _as_sent(definition)
    return found


def events(ref: str = REF) -> Json:
    """Return the schema of each event as the log holds it, and of `Event`, by name."""
    return _definitions("Event", TypeAdapter(Event), ref)


def records(ref: str = REF) -> Json:
    """Return the schema of what the fold and the later steps write, by name."""
    _, found = msgspec.json.schema_components(RECORDS, ref_template=ref.format(model="{name}"))
    return found


def touchpoint_schema() -> Json:
    """Return one self-contained JSON Schema document for a touchpoint as it is sent."""
    return _document("Touchpoint", "what may be sent to ingest", touchpoints("#/$defs/{model}"))


def event_schema() -> Json:
    """Return one self-contained JSON Schema document for an event of the log."""
    return _document("Event", "a record of the events topic", events("#/$defs/{model}"))


def record_schema(record: type[msgspec.Struct]) -> Json:
    """Return one self-contained JSON Schema document for a record of a later step."""
    _, found = msgspec.json.schema_components([record], ref_template="#/$defs/{name}")
    name = record.__name__
    text = found[name].pop("description", "")
    return _document(name, text.split("\n", 1)[0], found)


def _document(name: str, description: str, parts: Json) -> Json:
    whole: Json = parts.pop(name)
    head: Json = {"$schema": DIALECT, "title": name, "description": description}
    return head | whole | {"$defs": parts}


def _definitions(name: str, adapter: TypeAdapter[Any], ref: str) -> Json:
    whole = adapter.json_schema(ref_template=ref, mode="validation")
    definitions: Json = whole.pop("$defs")
    return {name: whole} | {part: _lean(schema) for part, schema in definitions.items()}


def _lean(definition: Json) -> Json:
    """Leave out titles that repeat a field's name, and defaults that say nothing."""
    for field in definition.get("properties", {}).values():
        field.pop("title", None)
        if field.get("default", 0) is None or isinstance(field.get("default"), dict):
            del field["default"]
    return definition


def _as_sent(definition: Json) -> None:
    """Show a touchpoint as its sender may write it."""
    fields = definition["properties"]
    for name in OURS:
        fields.pop(name, None)
    filled_in = {*OURS, *_OPTIONAL}
    definition["required"] = ["type"] + [
        name for name in definition.get("required", ()) if name not in filled_in
    ]
    fields["identifiers"] = {"anyOf": [fields["identifiers"], _SHORT]}
    fields["sent_at"] = _SENT
