"""What a row of `scores` is made of: a score whose features stand by place, without their names."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import NODEFAULT, UNSET, UnsetType, ValidationError, defstruct
from msgspec.structs import fields

from models import places
from models.records import Score, unpack

ByPlace: Final = defstruct(
    "ByPlace",
    [(name, float | UnsetType, UNSET) for name in places.NAMES],
    frozen=True,
    gc=False,
    forbid_unknown_fields=True,
)


def _field(of: Any) -> tuple[str, Any, Any]:
    if of.name == "features":
        return (of.name, ByPlace, ByPlace())
    if of.default_factory is not NODEFAULT:
        return (of.name, of.type, msgspec.field(default_factory=of.default_factory))
    return (of.name, of.type, of.default)


_PART: Final = defstruct(
    "ScorePart", [_field(one) for one in fields(Score)], kw_only=True, frozen=True, gc=False
)
_read: Final = msgspec.json.Decoder(_PART).decode
_read_whole: Final = msgspec.json.Decoder(Score).decode


def read(value: bytes) -> tuple[Any, object]:
    """Read a score, and its features: by place, or by name where one has no place any more.

    Raises msgspec.ValidationError.
    """
    try:
        part: Any = _read(value)
    except ValidationError:
        whole = _read_whole(value)
        return whole, unpack(whole.features)
    return part, msgspec.structs.astuple(part.features)


def named(features: dict[str, float] | tuple[Any, ...]) -> dict[str, float]:
    """Return features, by place or by name, by their names."""
    if not isinstance(features, tuple):
        return features
    pairs = zip(places.NAMES, features, strict=True)
    return {name: number for name, number in pairs if number is not UNSET}
