"""Silence, made into events: which customers are due, and when to say so.

A customer's timers run in the customer's own time. While events come, the fold runs
them itself; an alarm here stands for "nothing came": it only ever asks the log to
record that, so a replay finds the firing in the log and reads no clock.
"""

from __future__ import annotations

from datetime import timedelta
from heapq import heapify, heappop, heappush
from typing import Final

import msgspec
from msgspec import Struct, field

from models.customer import Regroup
from models.events.clock import EPOCH
from models.events.codec import made
from models.events.system import TimerFired

# What reaches us this long after it happened is history being read in, not news.
LATE_MS: Final = 3_600_000
NEVER_MS: Final = 1 << 60  # after every time that there is
HELD_MS = 24 * LATE_MS  # a trickle of late events is no past that ends
STALE = 1_000  # entries of alarms that were moved, before they are cleared away


class Waiting(Struct, frozen=True, kw_only=True):
    """The part of a customer that says what is waited for."""

    customer_id: str
    clock_ms: int = 0
    received_ms: int = 0
    timers: dict[str, int] = field(default_factory=dict)
    regroup: Regroup | None = None


waiting = msgspec.json.Decoder(Waiting).decode  # skips all else: a third of the cost of a customer


def wake_ms(customer: Waiting, grace_ms: int) -> int | None:
    """Return the wall time at which the customer's next timer is to fire; None: never.

    History read in comes in any order, so its timers wait until `grace_ms` have passed without
    another event of that customer, unless the past comes beyond them before (`past_ms`).
    """
    due = min(customer.timers.values(), default=None)
    if due is None:
        return None
    if _is_read_in(customer):
        return max(due, customer.received_ms + grace_ms)
    return due


def past_ms(customer: Waiting) -> int | None:
    """Return how far the past is to have come for a customer's next timer to fire; None: never.

    Only of customers whose history is read in: of others, the wall clock tells.
    """
    if not _is_read_in(customer):
        return None
    return min(customer.timers.values(), default=None)


def held_ms(customer: Waiting, read_ms: int, grace_ms: int) -> int:
    """Return until when a customer's timers are held back at least, in wall time.

    `read_ms`: when something of a past was read last. While it goes on, who is silent may only
    not have come in it again; but nobody is held back for longer than a day.
    """
    if not _is_read_in(customer):
        return 0
    return min(read_ms + grace_ms, customer.received_ms + max(HELD_MS, grace_ms))


def _is_read_in(customer: Waiting) -> bool:
    """Tell whether the customer's newest event reached us as history."""
    return customer.received_ms - customer.clock_ms > LATE_MS


def fired(customer_id: str, due_ms: int, now_ms: int, until_ms: int | None = None) -> TimerFired:
    """Return the event that says: nothing came for this customer until `due_ms`.

    Nor, if so much is known now, until `until_ms`: None stands for now.
    """
    until = now_ms if until_ms is None else until_ms
    return made(
        TimerFired,
        event_id=f"timer:{customer_id}:{due_ms}",
        occurred_at=EPOCH + timedelta(milliseconds=until),
        received_at=EPOCH + timedelta(milliseconds=now_ms),
        customer_id=customer_id,
        due_ms=due_ms,
    )


class Alarms:
    """The alarms of one partition. Setting one again moves it; the old entry is passed over."""

    __slots__ = ("_heap", "_wake")

    def __init__(self) -> None:
        self._wake: dict[bytes, int] = {}
        self._heap: list[tuple[int, bytes]] = []

    def __len__(self) -> int:
        return len(self._wake)

    def set(self, key: bytes, wake: int | None) -> None:
        """Set a customer's alarm, or take it away (None)."""
        if wake is None:
            self._wake.pop(key, None)
        elif self._wake.get(key) != wake:
            self._wake[key] = wake
            if len(self._heap) > 2 * len(self._wake) + STALE:
                self._heap = [(at, one) for one, at in self._wake.items()]
                heapify(self._heap)
            else:
                heappush(self._heap, (wake, key))

    def due(self, now_ms: int, limit: int) -> list[tuple[int, bytes]]:
        """Take out and return the alarms that have come with their times, at most `limit`."""
        found: list[tuple[int, bytes]] = []
        while self._heap and self._heap[0][0] <= now_ms and len(found) < limit:
            wake, key = heappop(self._heap)
            if self._wake.get(key) == wake:
                del self._wake[key]
                found.append((wake, key))
        return found
