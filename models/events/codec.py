"""Events as the bytes of the log: what `encode_event` wrote, `decode_event` reads, for ever.

Defaults are left out, so the record stays small; type and version are always in.
"""

from __future__ import annotations

from typing import Final

import msgspec
from pydantic import TypeAdapter, ValidationError

from models.events.union import Event
from models.upcasters import UPCASTERS, upcast

_events: TypeAdapter[Event] = TypeAdapter(Event)
_validate: Final = _events.validator.validate_json


def encode_event(event: Event) -> bytes:
    """Write an event as one line of JSON, UTF-8."""
    body: bytes = event.__pydantic_serializer__.to_json(event, exclude_defaults=True)
    head = f'{{"type":"{event.type}","schema_version":{event.schema_version},'
    return head.encode() + body[1:]


def decode_event(value: bytes) -> Event:
    """Read what any version of `encode_event` wrote.

    Raises ValueError on anything else: the log is our own, so that is a bug, not bad input.
    """
    try:
        return _validate(value)  # type: ignore[no-any-return]
    except ValidationError:
        event = msgspec.json.decode(value, type=dict[str, object])
        if event.get("type") not in UPCASTERS:
            raise
        return _events.validate_python(upcast(event))
