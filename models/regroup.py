"""A member's part: what its own events in the log give, when an unmerge gives it another place.

What was gathered under a root is a sum, and a sum cannot be taken apart. The log can: an
event is kept where it first came to, so a part follows from one customer's records alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeGuard

from models import seen
from models.customer import Customer
from models.events.union import Event, Touchpoint
from models.profile import Profile, fold_all
from models.reaction import Position
from models.rhythm import CONTACTS, Rhythm, beat
from models.topics import EVENTS

_FORWARDED = f"{EVENTS.name}/"
_OURS = frozenset(
    {
        *("customer_merged", "customer_absorbed", "customer_regrouped", "customer_refolded"),
        "timer_fired",
    }
)


def is_direct(event: Event) -> TypeGuard[Touchpoint]:
    """Tell whether this is a touchpoint that first came to the customer it is keyed by."""
    return event.type not in _OURS and not event.origin.startswith(_FORWARDED)


def part(customer_id: str, events: Iterable[tuple[Position, Event]]) -> Customer:
    """Return what a customer's own direct events give, in the log's order; nothing is judged.

    `events` may hold others', and what is not direct: both are passed over. What a crash
    repeated or a client sent twice counts once, as it does live.
    """
    applied: dict[str, int] = {}
    marks = ""
    rhythm = Rhythm()
    clock = received = 0
    end: int | None = None
    own: list[Touchpoint] = []
    for _, event in events:
        if event.customer_id != customer_id or not is_direct(event):
            continue
        if event.origin:
            if event.origin_offset <= applied.get(event.origin, -1):
                continue
            applied[event.origin] = event.origin_offset
        received = max(received, event.received_ms)
        mark = seen.mark_of(event)
        if seen.has(marks, mark):
            continue
        marks = seen.add(marks, mark)
        now = min(event.occurred_ms, event.received_ms)
        clock = max(clock, now)
        end = observed_until(end, event, now)
        if event.type in CONTACTS:
            rhythm = beat(rhythm, now)
        own.append(event)
    return Customer(
        customer_id=customer_id,
        seen=marks,
        clock_ms=clock,
        received_ms=received,
        observed_until_ms=end,
        profile=fold_all(Profile(), own),
        rhythm=rhythm,
    )


def observed_until(before: int | None, event: Touchpoint, now: int) -> int | None:
    """Return the backfill's end after an event: the latest stated, until something newer is live.

    Times are ms since 1970; `now` is when the event counts.
    """
    stated = event.observed_until_ms
    if stated is not None:
        return max(stated, before or 0)
    return before if before is not None and now <= before else None
