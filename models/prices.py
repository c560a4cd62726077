"""What a contract costs: the newest words on its price, and how much it changed lately.

Like all of a contract they are a fold that commutes: a word is all that it says, the newest stay.
"""

from __future__ import annotations

from math import exp, log
from typing import Final

from models.rhythm import DAY_MS
from models.terms import Price

MOST: Final = 4  # words that are kept: of who pays by the month, all that a change counts by
HALF_LIFE_DAYS: Final = 30.0  # of a change, as of an interest
STEEPEST: Final = 1.0  # logarithm: a change beyond it counts as so much
_FADES: Final = log(2.0) / (HALF_LIFE_DAYS * DAY_MS)


def join(a: list[Price], b: list[Price]) -> list[Price]:
    """Return the newest words of both, in order of time; what is said twice is there once."""
    if not b:
        return a
    if not a:
        return b
    words = {_order(one): one for one in [*a, *b]}
    return [words[key] for key in sorted(words)[-MOST:]]


def risen(told: list[Price], at_ms: int) -> float:
    """Return the logarithm by which the price rose by `at_ms`, half as much every 30 days.

    Below 0 it fell. Currencies are not compared, nor is a price with none.
    """
    total = 0.0
    for number in range(1, len(told)):
        change, since = _change(told[number - 1], told[number]), at_ms - told[number].at_ms
        total += change * exp(-_FADES * since) if since > 0 else change
    return total


def _change(before: Price, now: Price) -> float:
    """Return the logarithm of a price over the one before, by the day where both tell of how many.

    Who goes from a month to a year at a lower price pays less.
    """
    if before.minor <= 0 or now.minor <= 0 or before.currency != now.currency:
        return 0.0
    ratio = now.minor / before.minor
    if before.days and now.days:
        ratio *= before.days / now.days
    return max(-STEEPEST, min(STEEPEST, log(ratio)))


def _order(one: Price) -> tuple[int, int, str, int]:
    return (one.at_ms, one.minor, one.currency, one.days)
