"""Times and money as the API writes them: ISO 8601 in UTC, decimal strings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache

from models.events.clock import EPOCH
from models.money import exponent
from models.rhythm import DAY_MS

Json = dict[str, object]
_DAYS = 1 << 12  # that are kept as text
# Of a day and of a minute: a third of the time that writing all of it anew takes, on first reads.
_MINUTES = tuple(f"{hour:02}:{minute:02}:" for hour in range(24) for minute in range(60))
_SECONDS = tuple(f"{second:02}." for second in range(60))


@lru_cache(1 << 17)  # a customer is laid out again at each change, with nearly the same times
def instant(ms: int | None) -> str | None:
    """Write ms since 1970 as ISO 8601 in UTC, "2026-11-22T09:30:00.000Z"."""
    if ms is None:
        return None
    clock = f"{_MINUTES[ms // 60_000 % 1440]}{_SECONDS[ms // 1000 % 60]}{ms % 1000:03}Z"
    return _day(ms // DAY_MS) + clock


@lru_cache(_DAYS)
def _day(number: int) -> str:
    """Write a day since 1970, "2026-11-22T"."""
    return (EPOCH + timedelta(days=number)).isoformat()[:11]


def amounts(minor: Mapping[str, int]) -> dict[str, str]:
    """Write minor units by currency as decimal strings: {"USD": "59.00"}."""
    return {currency: _decimal(units, exponent(currency)) for currency, units in minor.items()}


def _decimal(units: int, digits: int) -> str:
    if not digits:
        return str(units)
    shown = f"{abs(units):0{digits + 1}d}"
    return f"{'-' if units < 0 else ''}{shown[:-digits]}.{shown[-digits:]}"
