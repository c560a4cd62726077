"""A member's part: what its own events in the log give, when an unmerge gives it another place.

What was gathered under a root is a sum, and a sum cannot be taken apart. The log can: an
event is kept where it first came to, so a part follows from one customer's records alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeGuard

from models import contracts, seen
from models.customer import Customer, Regroup, encode
from models.events.codec import made
from models.events.system import CustomerRefolded, CustomerRegrouped
from models.events.union import Event, Touchpoint
from models.profile import Profile, fold_all
from models.reaction import Position
from models.rhythm import CONTACTS, beat
from models.topics import EVENTS
from models.visits import Rhythm

HELD = 256  # events folded at once: a long history never is in memory whole
_FORWARDED = f"{EVENTS.name}/"
_OURS = frozenset(
    {
        *("customer_merged", "customer_absorbed", "customer_regrouped", "customer_refolded"),
        *("episodes_returned", "timer_fired"),
    }
)


def is_direct(event: Event) -> TypeGuard[Touchpoint]:
    """Tell whether this is a touchpoint that first came to the customer it is keyed by."""
    return event.type not in _OURS and not event.origin.startswith(_FORWARDED)


class Part:
    """A customer's own direct events, folded as they come: few are held, however many there are."""

    __slots__ = (
        *("_applied", "_clock", "_contracts", "_end", "_id", "_own", "_profile", "_received"),
        *("_rhythm", "_seen"),
    )

    def __init__(self, customer_id: str) -> None:
        self._id = customer_id
        self._applied: dict[str, int] = {}
        self._seen = ""
        self._rhythm = Rhythm()
        self._contracts: contracts.Contracts = {}
        self._clock = self._received = 0
        self._end: int | None = None
        self._profile = Profile()
        self._own: list[Touchpoint] = []

    def take(self, event: Event) -> None:
        """Take in an event of the log, in its order; one that is not the customer's own is none."""
        if event.customer_id != self._id or not is_direct(event):
            return
        if event.origin:
            if event.origin_offset <= self._applied.get(event.origin, -1):
                return
            self._applied[event.origin] = event.origin_offset
        self._received = max(self._received, event.received_ms)
        mark = seen.mark_of(event)
        if not seen.has(self._seen, mark):
            self._seen = seen.add(self._seen, mark)
            self._count(event)

    def _count(self, event: Touchpoint) -> None:
        now = min(event.occurred_ms, event.received_ms)
        self._clock = max(self._clock, now)
        self._end = observed_until(self._end, event, now)
        if event.type in CONTACTS:
            self._rhythm = beat(self._rhythm, now)
        self._contracts = contracts.after(self._contracts, event, now)
        self._own.append(event)
        if len(self._own) == HELD:
            self._fold()

    def _fold(self) -> None:
        self._profile = fold_all(self._profile, self._own)
        self._own = []

    def customer(self) -> Customer:
        """Return what they give; nothing is judged."""
        self._fold()
        return Customer(
            customer_id=self._id,
            seen=self._seen,
            clock_ms=self._clock,
            received_ms=self._received,
            observed_until_ms=self._end,
            profile=self._profile,
            rhythm=self._rhythm,
            contracts=self._contracts,
        )


def part(customer_id: str, events: Iterable[tuple[Position, Event]]) -> Customer:
    """Return what a customer's own direct events give, in the log's order; nothing is judged.

    `events` may hold others', and what is not direct: both are passed over. What a crash
    repeated or a client sent twice counts once, as it does live.
    """
    own = Part(customer_id)
    for _, event in events:
        own.take(event)
    return own.customer()


def refolded(regrouped: CustomerRegrouped, until: int, own: Customer) -> CustomerRefolded:
    """Return the event that hands a member its part; `until` is the regrouping's own offset.

    Of a log it follows from that alone: who says it twice says the same.
    """
    return made(
        CustomerRefolded,
        event_id=f"refolded:{regrouped.unmerge_id}:{regrouped.customer_id}",
        occurred_at=regrouped.occurred_at,
        received_at=regrouped.received_at,
        customer_id=regrouped.customer_id,
        generation=regrouped.generation,
        until=until,
        state=encode(own).decode(),
    )


def wanted_until(regroup: Regroup | None) -> int | None:
    """Return the offset up to which a customer's own events are to be read; None: they are not."""
    return regroup.until if regroup is not None and regroup.until >= 0 else None


def observed_until(before: int | None, event: Touchpoint, now: int) -> int | None:
    """Return the backfill's end after an event: the latest stated, until something newer is live.

    Times are ms since 1970; `now` is when the event counts.
    """
    stated = event.observed_until_ms
    if stated is not None:
        return max(stated, before or 0)
    return before if before is not None and now <= before else None
