"""One partition of the log, folded in memory: what the log gives, and what the live fold missed."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Final

from models.customer import Customer, decode, encode
from models.events import Event, decode_event
from models.judge import Judge
from models.react import Position, react
from models.topics import EVENTS

_SILENT: Final = Judge.mute()
WARM: Final = 20_000  # customers kept decoded: some 13 KiB each
Spot = tuple[int, bytes]  # a record's offset and value


class Folding:
    """One partition of the log, folded as far as `until` says of each customer; None: all of it.

    What the log has beyond that, and the live fold had committed, was missed by it. Customers
    who were not met lately are kept as bytes, so that memory holds many.
    """

    def __init__(
        self, partition: int, until: Mapping[str, int] | None = None, committed: int = 0
    ) -> None:
        self.missed: dict[str, int] = {}  # offset of the first event that was not applied
        self.beyond: dict[str, list[Spot]] = {}  # what is not folded yet, by customer
        self.unreadable = 0  # records that are no event, or nobody's: dead letters
        self._partition = partition
        self._until = until
        self._committed = committed
        self._warm: dict[str, Customer] = {}
        self._cold: dict[str, bytes] = {}

    def take(self, offset: int, value: bytes | None) -> None:
        """Fold one record of the log."""
        event = _read(value)
        if event is None:
            self.unreadable += 1
            return
        id = event.customer_id
        beyond = self._until is not None and offset > self._until.get(id, -1)
        if beyond:
            self.beyond.setdefault(id, []).append((offset, value or b""))
            if offset >= self._committed:
                return
        at = Position(EVENTS.name, self._partition, offset)
        reaction = react(self.get(id) or Customer(customer_id=id), event, at, _SILENT)
        if not reaction.changed:
            return
        if beyond:
            self.missed.setdefault(id, offset)
        else:
            self._keep(id, reaction.customer)

    def get(self, id: str) -> Customer | None:
        """Return a customer as the log gives him so far."""
        if (customer := self._warm.get(id)) is not None:
            return customer
        value = self._cold.get(id)
        return None if value is None else decode(value)

    def put(self, id: str, value: bytes) -> None:
        """Go on with a customer from a record of his."""
        self._cold[id] = value

    def ids(self) -> set[str]:
        """Return all who are in it."""
        return self._warm.keys() | self._cold.keys()

    def _keep(self, id: str, customer: Customer) -> None:
        self._warm[id] = customer
        if len(self._warm) > WARM:
            for id in list(islice(self._warm, WARM // 2)):
                self._cold[id] = encode(self._warm.pop(id))


def _read(value: bytes | None) -> Event | None:
    try:
        event = decode_event(value or b"")
    except ValueError:
        return None
    return event if event.customer_id else None
