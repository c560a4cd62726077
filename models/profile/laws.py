"""The laws by which two halves of a profile become one: a join for each kind of field.

Every join is commutative and associative, so neither the order of events nor a
split into two profiles matters. Whatever is bounded is bounded by an order in
which an entry can only climb: what was once dropped could never have come back.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final
from zlib import crc32

from models.identity import rank_of
from models.profile.shape import Trait, Weeks
from models.profile.timeline import join as union

WEEKS: Final = 16  # weighed by a half-life of 30 days, what is older counts for less than a twelfth
OTHER: Final = "(other)"  # what a bounded tally no longer tells apart; its sum stays exact

Join = Callable[[Any, Any], Any]


def add(a: int, b: int) -> int:
    """Sum."""
    return a + b


def earliest(a: int | None, b: int | None) -> int | None:
    """Return the smaller time, where None is none."""
    return b if a is None else a if b is None else min(a, b)


def latest(a: int | None, b: int | None) -> int | None:
    """Return the greater time, where None is none."""
    return b if a is None else a if b is None else max(a, b)


def _told(trait: Trait) -> tuple[int, str, str, str]:
    # The value too, so that the order is total: two contents under one id still agree.
    return (trait.at_ms, trait.event_id, trait.source, repr(trait.value))


def newest_trait(a: Trait | None, b: Trait | None) -> Trait | None:
    """Return the one that was said last, by (time, event id)."""
    return b if a is None else a if b is None else max(a, b, key=_told)


def oldest_trait(a: Trait | None, b: Trait | None) -> Trait | None:
    """Return the one that was said first, by (time, event id)."""
    return b if a is None else a if b is None else min(a, b, key=_told)


def tally(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    """Sum key by key."""
    if not b:
        return a
    sums = a.copy()
    for key, count in b.items():
        sums[key] = sums.get(key, 0) + count
    return sums


def bounded_tally(limit: int) -> Join:
    """Sum key by key, telling at most `limit` keys apart.

    Which ones is settled by a hash, not by time or size: only a standing that
    never changes lets every order of events end in the same sums.
    """

    def join(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
        sums = tally(a, b)
        if len(sums) - (OTHER in sums) > limit:
            named = (key for key in sums if key != OTHER)
            for key in sorted(named, key=_by_hash)[limit:]:
                sums[OTHER] = sums.get(OTHER, 0) + sums.pop(key)
        return sums

    return join


def _by_hash(key: str) -> tuple[int, str]:
    return (crc32(key.encode()), key)


def _collect(
    limit: int, beats: Callable[[Any, Any], bool], standing: Callable[[str, Any], Any]
) -> Join:
    """Join key by key, where the better value wins; keep the `limit` entries that stand highest.

    The better of two values of a key must stand higher too.
    """

    def join(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
        entries = a
        for key, new in b.items():
            if key not in a or beats(new, a[key]):
                if entries is a:
                    entries = a.copy()
                entries[key] = new
        if len(entries) > limit:
            ranked = sorted(entries.items(), key=lambda entry: standing(*entry), reverse=True)
            entries = dict(ranked[:limit])
        return entries

    return join


def newest(limit: int) -> Join:
    """Last time of each key, the newest keys."""
    return _collect(limit, operator.gt, lambda key, at: (at, key))


def newest_traits(limit: int) -> Join:
    """Last word on each key, the newest keys."""
    return _collect(
        limit, lambda new, old: _told(new) > _told(old), lambda key, trait: (_told(trait), key)
    )


def newest_days(limit: int) -> Join:
    """Return the law of a list of days, ascending: each day once, the newest ones."""

    def join(a: list[int], b: list[int]) -> list[int]:
        if not b or (len(b) == 1 and b[0] in a[-1:]):  # a second order on the same day
            return a
        if not a or a[-1] < b[0]:  # later than all, most often
            return [*a, *b][-limit:]
        return sorted({*a, *b})[-limit:]

    return join


def weekly(limit: int) -> Join:
    """Sum by name within a week, of the newest `WEEKS` weeks up to the newest one told.

    Of a week at most `limit` names, settled by a hash as in `bounded_tally`. Weeks only
    leave at the old end: what is gone could never have counted again.
    """

    def join(a: Weeks, b: Weeks) -> Weeks:
        if not b:
            return a
        weeks = a.copy()
        for week, counts in b.items():
            sums = tally(weeks.get(week, {}), counts)
            if len(sums) > limit:
                sums = {key: sums[key] for key in sorted(sums, key=_by_hash)[:limit]}
            weeks[week] = sums
        if len(weeks) > len(a):
            oldest = max(weeks) - WEEKS
            if min(weeks) <= oldest:
                weeks = {week: sums for week, sums in weeks.items() if week > oldest}
        return weeks

    return join


def strongest_identifiers(limit: int) -> Join:
    """First time of each identifier: the strongest kinds, and of a kind those known longest."""
    return _collect(limit, operator.lt, lambda key, at: (-rank_of(key.partition(":")[0]), -at, key))


LAWS: Final[dict[str, Join]] = {
    "identifiers": strongest_identifiers(100),
    "traits": newest_traits(200),
    "consents": newest_traits(100),
    "groups": newest(50),
    "events": add,
    "events_by_type": tally,
    "events_by_channel": tally,
    "first_seen_ms": earliest,
    "last_seen_ms": latest,
    "orders": add,
    "items": add,
    "revenue": tally,
    "refunded": tally,
    "margin": tally,
    "refunds": add,
    "returns": add,
    "first_order_ms": earliest,
    "last_order_ms": latest,
    "order_days": newest_days(100),
    "orders_by_currency": tally,
    "products": newest(50),
    "interests": bounded_tally(100),
    "interest_weeks": weekly(20),
    "tickets_opened": newest(50),
    # Four times as many: a ticket whose closing is forgotten first would look open again.
    "tickets_closed": newest(200),
    "feedback": newest_traits(10),
    "sentiment": newest_trait,
    "sentiment_by": newest_trait,
    "sentiment_weeks": weekly(2),
    "messages_sent": add,
    "messages_opened": add,
    "messages_clicked": add,
    "offers_shown": add,
    "offers_accepted": add,
    "offers_declined": add,
    "wait_seconds": add,
    "points": bounded_tally(20),
    "tiers": newest_traits(20),
    "opportunities": newest_traits(20),
    "subscriptions": newest_traits(20),
    "subscription": newest_trait,
    "attribution_first": oldest_trait,
    "attribution_last": newest_trait,
    "recent": union,
}
# Fields that are sums by key, of which an event says some: who has the key may add in place.
TALLIES = frozenset({"revenue", "refunded", "margin", "orders_by_currency", "interests", "points"})
