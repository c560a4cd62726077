"""What decays: interest and opinion, counted by the week in which they were shown.

Whole numbers a week can be summed in any order, and are weighed by their age when they are
read: a sum that decays as it grows would depend on the order in which events come.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from models.events.base import Contact
from models.profile.shape import Trait, Weeks
from models.rhythm import DAY_MS
from models.traits.sentiment import SOURCE, sentiment

WEEK_MS: Final = 7 * DAY_MS
HALF_LIFE_DAYS: Final = 30.0

# How much one event says of an interest.
VIEWED, SEARCHED, CARTED, BOUGHT = 1, 2, 3, 5
_INTO_CART: Final = frozenset({"Product Added", "Product Added to Wishlist"})  # Segment's names


def interest(category: str | None, at: int, weight: int) -> dict[str, Any]:
    """Return the facts that an interest was shown at `at` (ms); none without a category."""
    if not category:
        return {}
    return {
        "interests": {category: 1},
        "interest_weeks": {at // WEEK_MS: {category: weight}},
    }


def bought(lines: dict[str, int], at: int) -> Weeks:
    """Return what an order says of interests, from its lines counted by category."""
    return {at // WEEK_MS: {name: BOUGHT * count for name, count in lines.items()}} if lines else {}


def carted(name: str, properties: Mapping[str, object]) -> str | None:
    """Return the category of what a custom event put into the cart, None when it did not."""
    category = properties.get("category") if name in _INTO_CART else None
    return category[:200] if isinstance(category, str) and category else None


def opinion(event: Contact, at: int, *texts: str | None) -> dict[str, Any]:
    """Return the facts about the opinion in what was written; none when it tells none."""
    said = "\n".join([text for text in texts if text])
    score = sentiment(said) if said else None
    if score is None:
        return {}
    return {
        "sentiment": Trait(score / 1000, at, event.event_id, event.source),
        "sentiment_by": Trait(SOURCE, at, event.event_id, event.source),
        "sentiment_weeks": {at // WEEK_MS: {"count": 1, "sum": score}},
    }


def weight(week: int, at: int) -> float:
    """Return what a week's count is worth at `at` (ms): half as much every 30 days.

    Its age is that of its middle; what is yet to come counts whole.
    """
    days = (at - (week * WEEK_MS + WEEK_MS // 2)) / DAY_MS
    return 1.0 if days <= 0.0 else float(0.5 ** (days / HALF_LIFE_DAYS))
