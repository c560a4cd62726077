"""Reading JSON that follows somebody else's rules: take what fits, leave the rest.

Nothing here raises on odd values: what is passed on, the event classes judge.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from models.errors import Reason, TouchpointRejectedError
from models.plain import MAX_DEPTH, plain

Json = dict[str, object]


def section(value: object) -> Json:
    """Return a JSON object, or an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def text(value: object) -> str | None:
    """Return a text or a number as text, None in place of blanks and anything else."""
    if value is None:  # most of what is looked for is not there
        return None
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool):
        return None
    if isinstance(value, Decimal) or (isinstance(value, int) and value.bit_length() < 64):
        return str(value)
    return None


def short(value: object, limit: int = 500) -> str | None:
    """Return a text cut to `limit` characters: for what a sender's library filled in."""
    found = None if value is None else text(value)
    return found[:limit] if found else None


def given(**fields: object) -> Json:
    """Return the fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def flat(traits: Json) -> Json:
    """Lay nested objects out as "address.city"; lists become JSON text."""
    return dict(_flat(traits, "", 0))


def _flat(traits: Json, prefix: str, depth: int) -> Iterator[tuple[str, object]]:
    if depth > MAX_DEPTH:
        raise TouchpointRejectedError(Reason.TOO_DEEP, "nested deeper than 8 levels", "traits")
    for name, value in traits.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.", depth + 1)
        elif isinstance(value, list):
            yield prefix + name, msgspec.json.encode(_shallow(value)).decode()
        else:
            yield prefix + name, value


def _shallow(value: list[object]) -> object:
    try:
        return plain(value)
    except ValueError as error:  # the one pydantic would have turned into its own
        raise TouchpointRejectedError(Reason.TOO_DEEP, str(error), "traits") from error
