"""Contracts: subscriptions as their events tell, and which of them run at a moment.

Like a profile they are a fold that commutes: first and last word by (time, event id), a count,
and the newest words on the price. A contract runs until it is cancelled, or until GRACE_DAYS
after an end that was stated and not renewed. One whose end nobody stated runs until cancelled.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from zlib import crc32

from models import prices
from models.events.base import MILLISECOND
from models.events.clock import EPOCH
from models.events.sales import SubscriptionCancelled, SubscriptionRenewed, SubscriptionStarted
from models.events.union import Touchpoint
from models.rhythm import DAY_MS
from models.terms import Contract, Price, Term

GRACE_DAYS: Final = 7  # a renewal may come, or be booked, this much later than the stated end
MOST: Final = 20  # contracts of one customer that are told apart
DAYS = {"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}  # of a period
_GRACE_MS: Final = 604_800_000  # of GRACE_DAYS

Contracts = dict[str, Contract]  # by subscription id
_Told = SubscriptionStarted | SubscriptionRenewed | SubscriptionCancelled


def after(contracts: Contracts, event: Touchpoint, at_ms: int) -> Contracts:
    """Return the contracts after a touchpoint, of whatever kind; `at_ms` is when it counts."""
    match event.type:
        case "subscription_started" | "subscription_renewed" | "subscription_cancelled":
            term = _term(event, at_ms)
            renewed, cost = int(term.what == "renewed"), _cost(event, at_ms, term.days)
            return join(contracts, {event.subscription_id: Contract(term, term, renewed, cost)})
        case _:
            return contracts


def join(a: Contracts, b: Contracts) -> Contracts:
    """Return the contracts of both; every order of the same events gives the same.

    Of more than MOST those stay whose ids hash lowest: a standing that never changes.
    """
    if not b:
        return a
    joined = dict(a)
    for key, theirs in b.items():
        ours = joined.get(key)
        joined[key] = theirs if ours is None else _one(ours, theirs)
    if len(joined) > MOST:
        kept = sorted(joined, key=lambda key: (crc32(key.encode()), key))[:MOST]
        joined = {key: joined[key] for key in kept}
    return dict(sorted(joined.items()))


def period(of: Contract) -> int:
    """Return how many days a period has; 0: nobody said."""
    return of.last.days or of.first.days


def ends_ms(of: Contract) -> int | None:
    """Return the end that a renewal would move, ms; None: none was stated, or it was cancelled."""
    last = of.last
    if last.what == "cancelled":
        return None
    until = last.until_ms
    if until is None and last.what == "renewed" and last.days:
        return last.at_ms + last.days * DAY_MS
    return until


def over_ms(of: Contract) -> int | None:
    """Return when it is over: cancelled, or its end passed with the grace; None: not known."""
    if of.last.what == "cancelled":
        return of.last.at_ms
    ends = ends_ms(of)
    return None if ends is None else ends + _GRACE_MS


def runs(of: Contract, at_ms: int) -> bool:
    """Tell whether it runs at `at_ms`; what was said of it later says that it still did."""
    if at_ms < of.first.at_ms:
        return False
    over = over_ms(of)
    return over is None or at_ms < over


def running(contracts: Contracts, at_ms: int) -> list[Contract]:
    """Return the contracts that run at `at_ms`."""
    return [one for one in contracts.values() if runs(one, at_ms)]


def _term(event: _Told, at_ms: int) -> Term:
    id = event.event_id
    match event.type:
        case "subscription_started":
            days = DAYS[event.period]
            return Term(at_ms, id, "started", _ms(event.renews_at), days, event.trial)
        case "subscription_renewed":
            days = DAYS[event.period] if event.period else 0
            return Term(at_ms, id, "renewed", _ms(event.renews_at), days)
        case "subscription_cancelled":
            return Term(at_ms, id, "cancelled", _ms(event.ends_at))


def _cost(event: _Told, at_ms: int, days: int) -> list[Price]:
    if event.type == "subscription_cancelled" or event.price is None:
        return []
    return [Price(at_ms, event.price.minor, event.price.currency, days)]


def _ms(at: datetime | None) -> int | None:
    return None if at is None else (at - EPOCH) // MILLISECOND


def _one(a: Contract, b: Contract) -> Contract:
    return Contract(
        min(a.first, b.first, key=_order),
        max(a.last, b.last, key=_order),
        a.renewals + b.renewals,
        prices.join(a.prices, b.prices),
    )


def _order(term: Term) -> tuple[int, str, str, int, int, bool]:
    until = -1 if term.until_ms is None else term.until_ms
    return (term.at_ms, term.event_id, term.what, until, term.days, term.trial)
