"""Step 3, fold: events -> profiles, scores, decisions, alerts, examples; to winners, events.

Everything that an event changes about a customer is one record, so it changes
together; a customer is read once and written once a batch.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from models.customer import Customer
from models.errors import Reason, TouchpointRejectedError
from models.events import Event, decode_event, encode_event
from models.react import Position, Reaction, react
from models.topics import ALERTS, DECISIONS, EVENTS, EXAMPLES, SCORES
from streams import due, judge, past, topics
from streams.app import app
from streams.dead_letters import bury
from streams.known import Known
from streams.lane import Outbox, Record

_json = msgspec.json.Encoder().encode
_known = Known()  # one for all partitions, so that its limit is the process's


@app.agent(topics.events, name="fold")
async def fold(batches: Any) -> None:
    """Let each customer react to its events, in the order of the log."""
    async for batch in batches:
        state = await due.customers.open(batch)
        outbox = Outbox()
        changed: dict[bytes, Customer] = {}
        events: list[Event] = []
        now_ms = time.time_ns() // 1_000_000
        past.fire(batch.partition, outbox, now_ms)
        for record in batch:
            try:
                event = read(record)
            except TouchpointRejectedError as rejected:
                bury(outbox, batch, record, rejected)
                continue
            events.append(event)
            key = event.customer_id.encode()
            customer = changed.get(key) or _known.read(key, state.get(key))
            at = Position(batch.topic, batch.partition, record.offset)
            reaction = react(customer, event, at, judge.current())
            if reaction.changed:
                changed[key] = reaction.customer
                send(outbox, key, reaction)
        past.read(batch.partition, events, now_ms)
        for key, customer in changed.items():
            state.put(key, _known.write(key, customer))
        if await app.complete(batch, outbox, state):
            due.reset(batch.partition, changed.items())


def read(record: Record) -> Event:
    """Read one record of the log. Raises TouchpointRejectedError on what is no event."""
    try:
        event = decode_event(record.value or b"")
    except ValueError as error:  # its text may repeat what was sent
        raise TouchpointRejectedError(Reason.BAD_FIELD, "not an event") from error
    if not event.customer_id:
        raise TouchpointRejectedError(Reason.NO_IDENTIFIER, "of no customer", "customer_id")
    return event


def send(outbox: Outbox, key: bytes, reaction: Reaction) -> None:
    """Add what a reaction leads to, the customer's own outputs keyed by the customer."""
    for topic, records in (
        (SCORES, reaction.scores),
        (DECISIONS, reaction.decisions),
        (ALERTS, reaction.alerts),
    ):
        for record in records:
            outbox.send(topic, key, _json(record))
    for example in reaction.examples:
        outbox.send(EXAMPLES, example.model.encode(), _json(example))
    for event in reaction.events:
        outbox.send(EVENTS, event.customer_id.encode(), encode_event(event))
