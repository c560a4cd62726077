"""Who wants to hear of a changed customer, and what they have not heard yet.

A slow listener costs memory for at most `capacity` customers: of each only the
newest change waits, and what does not fit is told as a gap, never silently lost.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from msgspec import Struct

REMEMBERED = 10_000  # changes that a listener who comes back can still be told


class Change(Struct, frozen=True, gc=False):
    """A customer's record changed: its new version, None when it was erased."""

    sequence: int
    customer_id: str
    version: int | None


class Subscription:
    """One listener's changes, newest a customer."""

    def __init__(self, capacity: int) -> None:
        self.gap = False  # changes were left out: whoever listens must read anew
        self.closed = False
        self._capacity = capacity
        self._waiting: OrderedDict[str, Change] = OrderedDict()
        self._something = asyncio.Event()

    def put(self, change: Change) -> None:
        """Keep a change until it is taken."""
        self._waiting.pop(change.customer_id, None)
        self._waiting[change.customer_id] = change
        if len(self._waiting) > self._capacity:
            self._waiting.popitem(last=False)
            self.gap = True
        self._something.set()

    def close(self) -> None:
        """End the listening: `take` returns at once from now on."""
        self.closed = True
        self._something.set()

    async def take(self, timeout: float) -> list[Change]:
        """Wait for changes, oldest first; empty after `timeout` seconds or when closed."""
        try:
            await asyncio.wait_for(self._something.wait(), timeout)
        except TimeoutError:
            return []
        self._something.clear()
        taken = list(self._waiting.values())
        self._waiting.clear()
        return taken


class Changes:
    """Tells listeners; remembers the newest changes. `epoch` names this process's count."""

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self.sequence = 0
        self._recent: deque[Change] = deque(maxlen=REMEMBERED)
        self._everyone: set[Subscription] = set()
        self._of: dict[str, set[Subscription]] = {}

    def __len__(self) -> int:
        return len(self._everyone) + sum(map(len, self._of.values()))

    def publish(self, changed: Iterable[tuple[str, int | None]]) -> None:
        """Tell of (customer id, version) pairs."""
        for customer_id, version in changed:
            self.sequence += 1
            change = Change(self.sequence, customer_id, version)
            self._recent.append(change)
            for subscription in self._of.get(customer_id, ()):
                subscription.put(change)
            for subscription in self._everyone:
                subscription.put(change)

    @contextmanager
    def subscribe(
        self, customers: Iterable[str] = (), after: str = "", capacity: int = 1_000
    ) -> Iterator[Subscription]:
        """Listen to `customers`, or to all when none is named, while the block runs.

        `after` is the id ("epoch-sequence") of the last change heard: what followed
        is told first, or `gap` is set when it is no longer known.
        """
        wanted = set(customers)
        subscription = Subscription(capacity)
        self._resume(subscription, wanted, after)
        places = [self._of.setdefault(one, set()) for one in wanted] or [self._everyone]
        for place in places:
            place.add(subscription)
        try:
            yield subscription
        finally:
            for place in places:
                place.discard(subscription)
            for one in wanted:
                if not self._of.get(one, True):
                    del self._of[one]

    def identify(self, change: Change) -> str:
        """Return the id under which a listener may come back."""
        return f"{self.epoch}-{change.sequence}"

    def close(self) -> None:
        """End every subscription, so that the server can stop."""
        for subscription in (*self._everyone, *(s for group in self._of.values() for s in group)):
            subscription.close()

    def _resume(self, subscription: Subscription, wanted: set[str], after: str) -> None:
        if not after:
            return
        epoch, _, number = after.rpartition("-")
        heard = int(number) if number.isascii() and number.isdigit() else -1
        oldest = self._recent[0].sequence if self._recent else self.sequence + 1
        if epoch != self.epoch or not oldest - 1 <= heard <= self.sequence:
            subscription.gap = True
            return
        for change in self._recent:
            if change.sequence > heard and (not wanted or change.customer_id in wanted):
                subscription.put(change)
