"""Silence, made into events: which customers are due, and when to say so.

A customer's timers run in the customer's own time. While events come, the fold runs
them itself; an alarm here stands for "nothing came": it only ever asks the log to
record that, so a replay finds the firing in the log and reads no clock.
"""

from __future__ import annotations

from datetime import timedelta
from heapq import heappop, heappush

import msgspec
from msgspec import Struct, field

from models.customer import Regroup
from models.events.base import EPOCH
from models.events.codec import made
from models.events.system import TimerFired

# What reaches us this long after it happened is history being read in, not news.
LATE_MS = 3_600_000


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

    History read in comes in any order, so its timers wait until `grace_ms` have
    passed without another event of that customer.
    """
    due = min(customer.timers.values(), default=None)
    if due is None:
        return None
    if customer.received_ms - customer.clock_ms > LATE_MS:
        return max(due, customer.received_ms + grace_ms)
    return due


def fired(customer_id: str, due_ms: int, now_ms: int) -> TimerFired:
    """Return the event that says: nothing came for this customer until `due_ms`."""
    now = EPOCH + timedelta(milliseconds=now_ms)
    return made(
        TimerFired,
        event_id=f"timer:{customer_id}:{due_ms}",
        occurred_at=now,
        received_at=now,
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
            heappush(self._heap, (wake, key))

    def due(self, now_ms: int, limit: int) -> list[bytes]:
        """Take out and return the customers whose alarm has come, at most `limit`."""
        found: list[bytes] = []
        while self._heap and self._heap[0][0] <= now_ms and len(found) < limit:
            wake, key = heappop(self._heap)
            if self._wake.get(key) == wake:
                del self._wake[key]
                found.append(key)
        return found
