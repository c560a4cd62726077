"""The form in which a touchpoint is sent: a struct of each kind, and the reader of them all.

Its bounds are the models' own, so what is read is what they would take.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, defstruct
from pydantic import BaseModel

from models.events.base import Identifier, IdentifierType, utc
from models.events.codec import LEAN, TOUCHPOINTS
from models.events.envelope import OURS
from models.events.lean import (
    TIME,
    Check,
    Field,
    fields_of,
    in_order,
    namespace_of,
    part_of,
)
from models.plain import MAX_INTEGER, MAX_TEXT

ZONE: Final = 1_080  # minutes at most, either way
LONGEST: Final = 200  # characters of an id; entries in a section
Named: Final[Any] = part_of(Identifier)  # an identifier
# The grammar of which every reader makes the same time.
_WrittenTime = Annotated[
    str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$")
]
_Name = Annotated[str, Meta(min_length=1, max_length=LONGEST)]
_Leaf = (
    Annotated[str, Meta(max_length=MAX_TEXT)]
    | bool
    | Annotated[int, Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]
    | float
    | None
)
_Whose = tuple[Named, ...] | dict[IdentifierType, _Name | list[_Name]]


def _json(levels: int) -> Any:
    """Return the type of JSON of so many levels, bounded as `plain` bounds it."""
    below = _json(levels - 1) if levels else None
    return _Leaf | list[below] | dict[str, below] if levels else _Leaf  # type: ignore[valid-type]


_Json: Any = _json(3)
_Properties = Annotated[dict[_Name, _Json], Meta(max_length=LONGEST)]

# How these are sent; all else is as in the log.
SENT: Final[dict[str, Field]] = {
    field[0]: field
    for field in (
        ("event_id", Annotated[str, Meta(max_length=LONGEST)] | None, None),
        ("occurred_at", str | UnsetType, UNSET),
        ("identifiers", _Whose, ()),
        (
            "utc_offset_minutes",
            Annotated[int, Meta(ge=-ZONE, le=ZONE)] | None | UnsetType,
            UNSET,
        ),
        ("sent_at", _WrittenTime | None, None),  # by the sender's clock
    )
}


class _Sent(Struct, gc=False):
    """A touchpoint as its sender writes it: with nothing in it that the receiver adds."""

    logged: ClassVar[Any]  # its lean form
    own: ClassVar[int]  # how many fields must be given beside those of `SENT`


def _sent_form_of(model: type[BaseModel], logged: type[Struct]) -> type[Struct]:
    given = fields_of(model)
    times = [name for name, field in given.items() if field[1] == TIME | None and name not in OURS]
    fields = {name: _as_sent(field) for name, field in given.items() if name not in OURS}
    version, (_, _, kind) = fields.pop("schema_version"), fields.pop("type")
    own = in_order(field for name, field in fields.items() if name not in SENT)
    return defstruct(
        model.__name__,
        [*SENT.values(), *own, version],
        bases=(_Sent,),
        namespace=namespace_of(model, *map(_timed, times))
        | {"logged": logged, "own": sum(field[2] is msgspec.NODEFAULT for field in own)},
        kw_only=True,
        tag_field="type",
        tag=kind,
        forbid_unknown_fields=True,
    )


def _as_sent(field: Field) -> Field:
    name, kind, default = field
    if name == "properties":
        return name, _Properties, default
    return (name, _WrittenTime | None, default) if kind == TIME | None else field


def _timed(name: str) -> Check:
    """Read a time that is the event's own."""

    def read(sent: Any) -> None:
        text = getattr(sent, name)
        if text is not None:
            setattr(sent, name, utc(datetime.fromisoformat(text)))

    return read


read_form: Final[Callable[[bytes], Any]] = msgspec.json.Decoder(
    reduce(or_, (_sent_form_of(model, LEAN[model]) for model in TOUCHPOINTS))
).decode
