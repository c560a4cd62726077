"""JSON that any reader can take: floats for decimals, whole numbers of 64 bits, bounded depth."""

from __future__ import annotations

from decimal import Decimal

from pydantic_core import PydanticCustomError

MAX_DEPTH = 8
MAX_TEXT = 8_000
MAX_INTEGER = 2**63 - 1


def plain(value: object, depth: int = 0) -> object:
    """Return JSON whose decimals are floats. Raises ValueError on what is out of bounds.

    The event's own size bounds how many values there can be.
    """
    if depth > MAX_DEPTH:
        raise PydanticCustomError("too_deep", "nested deeper than 8 levels")
    if isinstance(value, dict):
        return {key: plain(child, depth + 1) for key, child in value.items()}
    if isinstance(value, list):
        return [plain(child, depth + 1) for child in value]
    return _leaf(value)


def _leaf(value: object) -> object:
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise PydanticCustomError("string_too_long", "a text longer than 8000 characters")
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise PydanticCustomError("int_too_large", "a whole number of more than 64 bits")
    return float(value) if isinstance(value, Decimal) else value
