"""Our own format: the event's fields as they are."""

from __future__ import annotations

from datetime import datetime

from models.wire.reading import Json


def from_native(message: Json, sent_at: str | None, received: datetime) -> Json:
    """Return the fields."""
    return message
