"""What a customer's days with a purchase say of those to come: MBG/NBD on purchases.

As `models.lifetime` has it for contacts (Batislam et al. 2007): a day with a purchase is
an event, the first one begins the customer's life. Time comes in with the arguments.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from models.customer import Customer
from models.lifetime import Lifetime
from models.rhythm import DAY_MS

DAYS_KEPT: Final = 100  # of `Profile.order_days`: who has as many begins at the oldest of them
_TERMS: Final = 2_000.0  # of a series whose terms fall by z < 1 at least: of most, 30 to 150
_TINY: Final = 1e-12
_POLE: Final = 1e-6  # around a = 1, where the formula divides nothing by nothing


class Buying(NamedTuple):
    """Repeat days with a purchase; the last of them, and now, in days after the first one."""

    repeats: int
    last: float
    age: float


def looked_at(customer: Customer, now_ms: int) -> int:
    """Return as of when (ms) silence counts: now, or a backfill's end if nothing came after."""
    end = customer.observed_until_ms
    return now_ms if end is None or customer.clock_ms > end else min(now_ms, end)


def buying(days: list[int], at_ms: int) -> Buying | None:
    """Return the purchases as the model counts them; None: nothing was bought."""
    if not days:
        return None
    last = days[-1] - days[0]
    return Buying(len(days) - 1, last, max(last, at_ms // DAY_MS - days[0]))


def expected(lifetime: Lifetime, of: Buying, horizon: float) -> float:
    """Return how many days with a purchase are expected within the next `horizon` days.

    The conditional expectation of MBG/NBD (Wagner & Hoppe 2008, with Euler's transformation of
    its 2F1, so that terms fall fast and nothing cancels).
    """
    r, alpha, a, b = lifetime.r, lifetime.alpha, lifetime.a, lifetime.b
    if abs(a - 1.0) < _POLE:
        a = 1.0 + _POLE
    z = horizon / (alpha + of.age + horizon)
    total = a + b + of.repeats
    series = _hypergeometric(a + b - r, a - 1.0, total, z)
    grown: float = 1.0 - (1.0 - z) ** (a - 1.0) * series
    return max(0.0, total / (a - 1.0) * grown * lifetime.alive(*of))


def _hypergeometric(a: float, b: float, c: float, z: float) -> float:
    """Return 2F1(a, b; c; z) for 0 <= z < 1, by its series (DLMF 15.2.1)."""
    total, term, n = 1.0, 1.0, 0.0
    while n < _TERMS:
        term *= (a + n) * (b + n) / ((c + n) * (n + 1.0)) * z
        total += term
        if -_TINY < term < _TINY:
            break
        n += 1.0
    return total
