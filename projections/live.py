"""The live read model: every customer's newest record, followed from `profiles`.

Kept as the bytes that came, decoded when read. A record whose log offset is older
than the one held changes nothing: a fenced worker may write last, never win.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from typing import NamedTuple

from msgspec import Struct

from models.customer import Customer, decode
from models.events.base import IdentifierType
from models.identity_rules import SHIPPED, Rules
from models.naming import derive, identifier_of
from projections.live_board import Board
from projections.live_changes import Changes
from projections.live_glance import Glance, Unreadable, glance
from projections.live_meter import Meter
from projections.live_names import Names

HOPS = 32  # of merges followed: a chain is short, and a loop must end
# Whole customers kept decoded: those of requests that belong together. Each is a dozen objects that
# Python's search for garbage looks at.
_DECODED = 256
_NAMES, _LONGEST = 1 << 14, 200  # keys whose customer ids are remembered; signs of the longest


class Record(NamedTuple):
    """One message of `profiles`: an erased customer has no value."""

    key: bytes
    value: bytes | None
    partition: int


class Held(Struct, frozen=True, gc=False):
    """What is kept of one customer: in no cycle, as its outline."""

    value: bytes
    partition: int
    glance: Glance


class Live:
    """All customers in memory, with what is counted and looked up about them.

    Belongs to one event loop: the feed applies in it, the requests read in it.
    """

    def __init__(self, now_ms: Callable[[], int], epoch: str, rules: Rules = SHIPPED) -> None:
        self.rules = rules  # by which identifiers are read
        self.ready = False  # everything that was in the topic at the start has been read
        self.unreadable = 0
        self.board = Board()
        self.meter = Meter()
        self.changes = Changes(epoch)
        self.now_ms = now_ms
        self._start = lru_cache(_NAMES)(partial(derive, rules=rules))
        self._held: dict[str, Held] = {}
        self._decoded: dict[str, tuple[bytes, Customer]] = {}
        self.names = Names()
        self._turn = asyncio.Event()

    def __len__(self) -> int:
        return len(self._held)

    def apply(self, records: Iterable[Record]) -> None:
        """Take in a batch, then tell whoever listens or waits."""
        now = self.now_ms()
        changed: dict[str, int | None] = {}
        for record in records:
            try:
                customer_id, version = self._apply(record, now)
            except Unreadable:
                self.unreadable += 1  # the record before stays; /metrics and the board show it
                continue
            if version != -1:
                changed[customer_id] = version
        if changed:
            self.changes.publish(changed.items())
            self._turn.set()
            self._turn = asyncio.Event()

    def mark_ready(self) -> None:
        """Say that the history has been read: what comes from now on is new."""
        gc.collect()
        gc.freeze()  # the history stays: walking it again at each collection is waste
        self.ready = True

    async def turn(self) -> None:
        """Wait until something has changed."""
        await self._turn.wait()

    def root(self, customer_id: str) -> str | None:
        """Follow the merges to the customer that stands for this one; None when unknown."""
        last = None
        for last in self.chain(customer_id):  # noqa: B007 - the last one is meant
            pass
        return last

    def chain(self, customer_id: str) -> Iterator[str]:
        """Yield the customer, then each one it was merged into, as far as they are known."""
        for _ in range(HOPS):
            held = self._held.get(customer_id)
            if held is None:
                return
            yield customer_id
            if held.glance.merged_into is None:
                return
            customer_id = held.glance.merged_into

    def locate(self, key: str) -> str | None:
        """Return the id of the customer that a "type:value" or a customer id names."""
        start = self._start(key) if len(key) <= _LONGEST else derive(key, self.rules)
        held = self._held.get(start) if start else None
        if held is not None and held.glance.merged_into is None:
            return start
        found = self.root(start) if start else None
        if found is None or self._held[found].glance.merged_into is not None:
            found = self._carrier(key) or found
        return found

    def carriers(self, key: str) -> set[str]:
        """Return whoever carries an identifier today, and all who are one with them."""
        identifier = identifier_of(key, self.rules)
        found: set[str] = set()
        for noted in self.names.carriers(str(identifier)) if identifier else ():
            for id in self.chain(noted):
                customer = self.customer(id)
                found |= {id, *(customer.absorbed if customer else ())}
        return found

    def get(self, key: str) -> Customer | None:
        """Return the whole customer that `key` names, merges followed."""
        customer_id = self.locate(key)
        return self.customer(customer_id) if customer_id else None

    def customer(self, customer_id: str) -> Customer | None:
        """Return exactly this customer's record, merged or not."""
        held = self._held.get(customer_id)
        if held is None:
            return None
        cached = self._decoded.get(customer_id)
        if cached is not None and cached[0] is held.value:
            return cached[1]
        customer = decode(held.value)
        self._decoded.pop(customer_id, None)
        if len(self._decoded) >= _DECODED:
            del self._decoded[next(iter(self._decoded))]
        self._decoded[customer_id] = (held.value, customer)
        return customer

    def held(self, customer_id: str) -> Held:
        """Return what is kept of exactly this customer. Raises KeyError when it is unknown."""
        return self._held[customer_id]

    def partition(self, customer_id: str) -> int | None:
        """Return the partition that holds this customer."""
        held = self._held.get(customer_id)
        return held.partition if held else None

    def glance(self, customer_id: str) -> Glance | None:
        """Return the outline of exactly this customer."""
        held = self._held.get(customer_id)
        return held.glance if held else None

    def search(self, text: str, limit: int) -> list[str]:
        """Find customers by identifier, or by how a name, e-mail or telephone begins."""
        text = text.strip()
        found: dict[str, None] = {}
        exact = [text, *(f"{kind}:{text}" for kind in IdentifierType)] if text else []
        for key in exact:
            if customer_id := self.locate(key):
                found[customer_id] = None
        if len(found) < limit:
            found |= dict.fromkeys(self.names.find(text, limit))
        return list(found)[:limit]

    def _apply(self, record: Record, now: int) -> tuple[str, int | None]:
        customer_id = record.key.decode()
        before = self._held.get(customer_id)
        if record.value is None:
            self._forget(customer_id, before)
            return customer_id, None
        seen = glance(record.value)
        if before is not None and seen.offset < before.glance.offset:
            return customer_id, -1
        self._held[customer_id] = Held(record.value, record.partition, seen)
        self.board.replace(before.glance if before else None, seen)
        self.names.replace(customer_id, before.glance if before else None, seen)
        self._measure(before.glance if before else None, seen, now)
        return customer_id, seen.version

    def _forget(self, customer_id: str, before: Held | None) -> None:
        if before is not None:
            del self._held[customer_id]
            self._decoded.pop(customer_id, None)
            self.names.forget(customer_id, before.glance)
            self.board.replace(before.glance, None)

    def _measure(self, before: Glance | None, now: Glance, now_ms: int) -> None:
        # History that is read at the start, merges and timers are not events that came now.
        if not self.ready or now.received_ms <= (before.received_ms if before else 0):
            return
        if now.absorbed != (before.absorbed if before else ()):
            return
        if now.regroup != (before.regroup if before else None):
            return
        events = now.profile.events - (before.profile.events if before else 0)
        self.meter.add(now_ms, max(events, 0), now_ms - now.received_ms)

    def _carrier(self, key: str) -> str | None:
        """Find who carries an identifier that never had a record of its own."""
        identifier = identifier_of(key, self.rules)
        if identifier is None:
            return None
        text, on_the_way = str(identifier), None
        carrying: list[tuple[int, str]] = []
        for noted in self.names.carriers(text):
            root = self.root(noted)
            if root is None:
                continue
            first_ms = self._held[root].glance.profile.identifiers.get(text)
            if first_ms is not None:
                carrying.append((first_ms, root))
            elif root != noted:  # merged, and what it had has yet to come to the root
                on_the_way = root
        return min(carrying)[1] if carrying else on_the_way
