"""What was said of contracts, as it is kept: `models.contracts` has the laws."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field


class Term(Struct, frozen=True, array_like=True, gc=False):
    """One word on a contract, written as an array. `until_ms`: the end that it states."""

    at_ms: int
    event_id: str
    what: Literal["started", "renewed", "cancelled"]
    until_ms: int | None = None
    days: int = 0  # of a period; 0: not stated
    trial: bool = False


class Price(Struct, frozen=True, array_like=True, gc=False):
    """What a period costs, as somebody said at a time; written as an array."""

    at_ms: int
    minor: int  # units of the currency
    currency: str
    days: int = 0  # of the period; 0: not stated


class Contract(Struct, frozen=True, array_like=True, gc=False):
    """A contract: the first and the newest word on it, how often it was renewed, what it costs."""

    first: Term
    last: Term
    renewals: int = 0
    prices: list[Price] = field(default_factory=list)  # newest words: `models.prices`
