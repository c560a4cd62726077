"""CloudEvents 1.0, structured."""

from __future__ import annotations

Json = dict[str, object]


def from_cloudevents(message: Json, sent_at: str | None, received_ms: int) -> Json:
    """Map one CloudEvent."""
    return message
