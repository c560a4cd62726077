"""The touchpoints as JSON Schema: what may be sent, said by the classes that judge it."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from models.events import Touchpoint
from models.events.parsing import OURS

Json = dict[str, Any]
REF = "#/components/schemas/{model}"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
# What `parse` fills in when it is not sent.
_OPTIONAL = ("event_id", "occurred_at")
_SHORT: Json = {
    "type": "object",
    "description": 'written short: {"user_id": "ana", "email": ["a@x.kr", "b@x.kr"]}',
    "additionalProperties": {
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
    },
}


def components(ref: str = REF) -> Json:
    """Return the schema of each touchpoint and its parts, and of `Touchpoint`, by name."""
    adapter: TypeAdapter[Touchpoint] = TypeAdapter(Touchpoint)
    whole = adapter.json_schema(ref_template=ref, mode="validation")
    definitions: Json = whole.pop("$defs")
    for definition in definitions.values():
        if "identifiers" in definition.get("properties", {}):
            _as_sent(definition)
    return {"Touchpoint": whole} | definitions


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


def touchpoint_schema() -> Json:
    """Return one self-contained JSON Schema document for a touchpoint as it is sent."""
    parts = components("#/$defs/{model}")
    touchpoint = parts.pop("Touchpoint")
    return {
        "$schema": DIALECT,
        "title": "Touchpoint",
        "description": "What may be sent to the touchpoints topic or to /v1/events",
        **touchpoint,
        "$defs": parts,
    }
