"""Segment's six calls, as their stock clients send them."""

from __future__ import annotations

Json = dict[str, object]


def from_segment(message: Json, sent_at: str | None, received_ms: int) -> Json:
    """Map one call."""
    return message
