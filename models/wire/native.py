"""Our own format: the event's fields as they are.

Identifiers may be written short: {"user_id": "ana", "email": ["a@x", "b@x"]}.
"""

from __future__ import annotations

Json = dict[str, object]


def from_native(message: Json, sent_at: str | None, received_ms: int) -> Json:
    """Return the fields, with identifiers written short made long."""
    identifiers = message.get("identifiers")
    if isinstance(identifiers, dict):
        message["identifiers"] = [
            {"type": kind, "value": value}
            for kind, values in identifiers.items()
            for value in (values if isinstance(values, list) else [values])
        ]
    return message
