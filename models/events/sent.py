"""A touchpoint read in one go: what is sent by the book, which is nearly all that is sent.

What `read_sent` gives, the models give too, and the same; what it does not give, they judge.
So it may decline what they take, never the reverse.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, defstruct
from msgspec.structs import astuple
from pydantic import BaseModel

from models.events.base import Identifier, IdentifierType, utc
from models.events.clock import believed, moved, read_time
from models.events.codec import LEAN, TOUCHPOINTS
from models.events.envelope import OURS, Wire, instant
from models.events.lean import (
    TIME,
    Check,
    Field,
    fields_of,
    in_order,
    namespace_of,
    part_of,
)
from models.events.union import Touchpoint
from models.plain import MAX_INTEGER, MAX_TEXT

_MINUTE: Final = timedelta(minutes=1)
_ZONE: Final = 1_080  # minutes at most, either way
_FARTHEST: Final = timedelta(minutes=_ZONE)
_LONGEST: Final = 200  # characters of an id; entries in a section
_MANY: Final = 20  # identifiers
LONGEST_NUMBER: Final = 400  # characters: what is longer costs more to read than it can say
# One longer than that has two neighbours of every 200th byte: few messages are looked at whole.
_two_numeric: Final = re.compile(rb"[0-9.eE+-]{2}").search
_too_long: Final = re.compile(rb"[0-9.eE+-]{%d}" % (LONGEST_NUMBER + 1)).search
_Identifier: Final[Any] = part_of(Identifier)
# The grammar of which every reader makes the same time.
_WrittenTime = Annotated[
    str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$")
]
_Name = Annotated[str, Meta(min_length=1, max_length=_LONGEST)]
_Leaf = (
    Annotated[str, Meta(max_length=MAX_TEXT)]
    | bool
    | Annotated[int, Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]
    | float
    | None
)
_Whose = tuple[_Identifier, ...] | dict[IdentifierType, _Name | list[_Name]]


def _json(levels: int) -> Any:
    """Return the type of JSON of so many levels, bounded as `plain` bounds it."""
    below = _json(levels - 1) if levels else None
    return _Leaf | list[below] | dict[str, below] if levels else _Leaf  # type: ignore[valid-type]


_Json: Any = _json(3)
_Properties = Annotated[dict[_Name, _Json], Meta(max_length=_LONGEST)]

# How these are sent; all else is as in the log.
_SENT: Final[dict[str, Field]] = {
    field[0]: field
    for field in (
        ("event_id", Annotated[str, Meta(max_length=_LONGEST)] | None, None),
        ("occurred_at", str | UnsetType, UNSET),
        ("identifiers", _Whose, ()),
        (
            "utc_offset_minutes",
            Annotated[int, Meta(ge=-_ZONE, le=_ZONE)] | None | UnsetType,
            UNSET,
        ),
        ("sent_at", _WrittenTime | None, None),  # by the sender's clock
    )
}


class _Sent(Struct, gc=False):
    """A touchpoint as its sender writes it: with nothing in it that the receiver adds."""

    logged: ClassVar[Any]  # its lean form
    own: ClassVar[int]  # how many fields must be given beside those of `_SENT`


def _sent_form_of(model: type[BaseModel], logged: type[Struct]) -> type[Struct]:
    given = fields_of(model)
    times = [name for name, field in given.items() if field[1] == TIME | None and name not in OURS]
    fields = {name: _as_sent(field) for name, field in given.items() if name not in OURS}
    version, (_, _, kind) = fields.pop("schema_version"), fields.pop("type")
    own = in_order(field for name, field in fields.items() if name not in _SENT)
    return defstruct(
        model.__name__,
        [*_SENT.values(), *own, version],
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


_read: Final[Callable[[bytes], Any]] = msgspec.json.Decoder(
    reduce(or_, (_sent_form_of(model, LEAN[model]) for model in TOUCHPOINTS))
).decode


def read_sent(raw: bytes, wire: Wire, occurred: datetime | None = None) -> Touchpoint | None:
    """Read a touchpoint in the native format, in its lean form; None: the models are to judge.

    `occurred` is when it happened, where that is known better than from these bytes.
    """
    if len(raw) > LONGEST_NUMBER and _two_numeric(raw[:: LONGEST_NUMBER // 2]) and _too_long(raw):
        return None
    try:
        sent = _read(raw)
        received = instant(wire.received_ms, "received_at")
        occurred, zone = _when(sent, wire, received, occurred)
        ends = wire.observed_until_ms
        ends_at = None if ends is None else instant(ends, "observed_until")
        who = sent.identifiers
        if type(who) is dict:
            who = _spelt_out(who)
    except (ValueError, OverflowError, RecursionError):
        return None
    event_id, source = sent.event_id or wire.place, wire.source
    if not 1 <= len(who) <= _MANY or len(event_id) > _LONGEST or len(source) > _LONGEST:
        return None
    # By place, as `Contact` orders them: by name it takes five times as long.
    values, own = astuple(sent), len(_SENT) + sent.own
    touchpoint: Touchpoint = sent.logged(
        *(sent.schema_version, event_id, occurred, received, who, *values[len(_SENT) : own]),
        *(source, "", "", -1, -1, zone, ends_at, *values[own:-1]),
    )
    return touchpoint


def _when(
    sent: Any, wire: Wire, received: datetime, known: datetime | None
) -> tuple[datetime, int | None]:
    """Return when it counts, in UTC, and the zone it was told in. Raises ValueError."""
    said, zone = sent.occurred_at, sent.utc_offset_minutes
    at = known or (received if said is UNSET else datetime.fromisoformat(said))
    if at.tzinfo is UTC:
        zone = None if zone is UNSET else zone
    else:
        offset = at.utcoffset()
        if offset is None or abs(offset) > _FARTHEST:
            raise ValueError("no zone, or none of this world")
        if zone is UNSET:  # UTC is the usual way to send a time: it tells no zone
            zone = offset // _MINUTE if offset else None
        at = at.astimezone(UTC)
    left = wire.sent_at if sent.sent_at is None else sent.sent_at
    if left is not None:
        clock = read_time(left, "sent_at")
        if said is not UNSET and wire.observed_until_ms is None:
            at = moved(at, clock, received)
    return believed(at, received), zone


def _spelt_out(short: dict[IdentifierType, Any]) -> tuple[Any, ...]:
    """Return identifiers that were written short: {"user_id": "ana", "email": ["a@x.kr"]}."""
    spelt = []
    for kind, said in short.items():
        if type(said) is str:
            spelt.append(_Identifier(kind, said))
        else:
            spelt += [_Identifier(kind, one) for one in said]
    return tuple(spelt)
