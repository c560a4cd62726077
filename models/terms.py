"""What was said of contracts, as it is kept: `models.contracts` has the laws."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Term(Struct, frozen=True, array_like=True, gc=False):
    """One word on a contract, written as an array. `until_ms`: the end that it states."""

    at_ms: int
    event_id: str
    what: Literal["started", "renewed", "cancelled"]
    until_ms: int | None = None
    days: int = 0  # of a period; 0: not stated
    trial: bool = False


class Contract(Struct, frozen=True, array_like=True, gc=False):
    """A contract: the first and the newest word on it, and how often it was renewed."""

    first: Term
    last: Term
    renewals: int = 0
