"""A customer's visits, as they are counted and kept: `models.rhythm` has the laws."""

from __future__ import annotations

from msgspec import Struct


class Rhythm(Struct, frozen=True, array_like=True, gc=False):
    """Visits so far and the gaps between them, in days (Welford's mean and sum of squares).

    Written as an array, in this order.
    """

    visits: int = 0
    first_ms: int | None = None
    last_ms: int | None = None
    gaps: int = 0
    gap_mean: float = 0.0
    gap_m2: float = 0.0
