"""Our own format: the event's fields as they are."""

from __future__ import annotations

from models.wire.reading import Json


def from_native(message: Json, sent_at: str | None) -> Json:
    """Return the fields."""
    return message
