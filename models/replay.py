"""The fold without a stream: a log in, every customer out.

The same `react` as the live fold, so what it gives is what the live fold must have
given. What the fold itself appends (forwarded and absorbed events) is taken from
the log where it is there, and made here where the log ends before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from models.customer import Customer
from models.events.codec import decode_event
from models.events.union import Event
from models.judge import Judge
from models.react import Position, Reaction, react


def replay(events: Iterable[tuple[Position, bytes]], judge: Judge) -> dict[str, Customer]:
    """Fold a log, each partition's records in offset order. Returns customers by id.

    A record that is no event, or nobody's, changes no customer: the live fold buries it. Who
    waits for a part that is not in the log comes out incomplete: `regroup` says so.
    """
    customers: dict[str, Customer] = {}
    sent: deque[Event] = deque()
    beyond = 0
    for at, value in events:
        beyond = max(beyond, at.offset + 1)
        event = _read(value)
        if event is not None and event.customer_id:
            sent += _apply(customers, event, at, judge).events
    while sent:  # what was sent and is not in the log yet; it may send on in its turn
        event = sent.popleft()
        # One log for all of it: what two pointers send on to one customer is told apart.
        sent += _apply(customers, event, Position("unwritten", 0, beyond), judge).events
        beyond += 1
    return customers


def _read(value: bytes) -> Event | None:
    try:
        return decode_event(value)
    except ValueError:
        return None


def _apply(customers: dict[str, Customer], event: Event, at: Position, judge: Judge) -> Reaction:
    customer = customers.get(event.customer_id) or Customer(customer_id=event.customer_id)
    reaction = react(customer, event, at, judge)
    if reaction.changed:
        customers[event.customer_id] = reaction.customer
    return reaction
