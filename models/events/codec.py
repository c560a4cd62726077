"""Events as the bytes of the log: what `encode_event` wrote, `decode_event` reads, for ever.

Defaults are left out, so the record stays small; type and version are always in.
In memory an event is its lean form: it has all that its model has, at a tenth of the cost.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import or_
from typing import Any, Final, TypeVar, cast, get_args

import msgspec
from msgspec import NODEFAULT, Struct, defstruct
from msgspec.structs import replace
from pydantic import BaseModel

from models.events.lean import Lean, fields_of, in_order, namespace_of
from models.events.system import (
    CustomerAbsorbed,
    CustomerMerged,
    CustomerRefolded,
    CustomerRegrouped,
    EpisodesReturned,
    TimerFired,
)
from models.events.union import Event, Touchpoint
from models.upcasters import UPCASTERS, upcast

AnyEvent = TypeVar("AnyEvent", bound=BaseModel)

TOUCHPOINTS: Final[tuple[type[BaseModel], ...]] = get_args(get_args(Touchpoint)[0])


def _lean_form_of(model: type[BaseModel]) -> type[Struct]:
    fields = fields_of(model)
    _, _, kind = fields.pop("type")
    name, version, _ = fields.pop("schema_version")
    return defstruct(
        model.__name__,
        [(name, version, NODEFAULT), *in_order(fields.values())],
        bases=(Lean,),
        namespace=namespace_of(model) | {"type": kind},
        tag_field="type",
        tag=kind,
        omit_defaults=True,
        forbid_unknown_fields=True,
    )


_OURS: Final[tuple[type[BaseModel], ...]] = (
    *(CustomerMerged, CustomerAbsorbed, CustomerRegrouped, CustomerRefolded),
    *(EpisodesReturned, TimerFired),
)
LEAN: Final = {model: _lean_form_of(model) for model in (*TOUCHPOINTS, *_OURS)}
_NEWEST: Final = {model: model.model_fields["schema_version"].default for model in LEAN}
encode_json: Final = msgspec.json.Encoder().encode
_read: Final = msgspec.json.Decoder(reduce(or_, LEAN.values())).decode
_read_any: Final = msgspec.json.Decoder(dict[str, Any]).decode


def encode_event(event: Event) -> bytes:
    """Write an event as one line of JSON, UTF-8."""
    return encode_json(event if isinstance(event, Struct) else lean(event))


def decode_event(value: bytes) -> Event:
    """Read what any version of `encode_event` wrote, as the lean form of an event.

    Raises ValueError on anything else: the log is our own, so that is a bug, not bad input.
    """
    try:
        try:
            return cast(Event, _read(value))
        except msgspec.ValidationError:
            return cast(Event, _read(encode_json(_brought_up(_read_any(value)))))
    except RecursionError as error:
        raise ValueError("nested too deep to be an event") from error


def lean(event: AnyEvent) -> AnyEvent:
    """Return the lean form of an event that its model has judged."""
    body: bytes = event.__pydantic_serializer__.to_json(event, exclude_defaults=True)
    head = encode_json({name: getattr(event, name) for name in ("type", "schema_version")})
    return cast(AnyEvent, _read(head[:-1] + b"," + body[1:]))


def made(kind: type[AnyEvent], **fields: object) -> AnyEvent:
    """Return an event of our own making, in its lean form: nobody judges what we say."""
    return cast(AnyEvent, LEAN[kind](schema_version=_NEWEST[kind], **fields))


changed: Final[Callable[..., Any]] = replace
"""Return a copy of an event with other values, by name: half of what `model_copy` takes."""


def _brought_up(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event of the log in today's shape."""
    newest = len(UPCASTERS.get(str(event.get("type")), ())) + 1
    return upcast(event) | {"schema_version": newest}
