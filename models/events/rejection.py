"""Why an event cannot be taken: pydantic's first fault, as a reason and a place.

What was sent is never repeated: it may be personal, and it may be huge.
"""

from __future__ import annotations

from typing import Final

from pydantic import ValidationError

from models.errors import Reason, TouchpointRejectedError

_REASONS: Final = {
    "finer_than_currency": Reason.BAD_AMOUNT,
    "mixed_currencies": Reason.BAD_AMOUNT,
    "bad_time": Reason.BAD_TIME,
    "timezone_aware": Reason.BAD_TIME,
    "too_deep": Reason.TOO_DEEP,
}


def rejection(error: ValidationError) -> TouchpointRejectedError:
    """Say the first thing that is wrong, without repeating what was sent."""
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    path = fault["loc"][1:]  # the first step names the type
    where = ".".join(map(str, path))
    return TouchpointRejectedError(_reason(fault["type"], path), fault["msg"], where)


def _reason(kind: str, path: tuple[int | str, ...]) -> Reason:
    if kind in _REASONS:
        return _REASONS[kind]
    if path == ("identifiers",):
        return Reason.NO_IDENTIFIER
    if kind.startswith("datetime"):
        return Reason.BAD_TIME
    return Reason.BAD_AMOUNT if path[-1:] == ("amount",) else Reason.BAD_FIELD
