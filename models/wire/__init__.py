"""The formats that touchpoints come in, each turned into the native one.

A mapping is a function of the message and of when its batch was sent, `(message, sent_at)`;
native fields come out. It may raise TouchpointRejectedError; it validates nothing
that the event classes validate.
"""

from __future__ import annotations

from collections.abc import Callable

from models.wire.cloudevents import from_cloudevents
from models.wire.native import from_native
from models.wire.reading import Json
from models.wire.segment import from_segment

Mapping = Callable[[Json, str | None], Json]

__all__ = ["FORMATS", "Json"]

FORMATS: dict[str, Mapping] = {
    "native": from_native,
    "segment": from_segment,
    "cloudevents": from_cloudevents,
}
