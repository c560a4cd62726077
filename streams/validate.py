"""Step 1, validate: touchpoints -> events, identity-links; or dead-letters, with the reason.

A touchpoint is judged by itself: nothing is looked up, so nothing is waited for.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from models.errors import TouchpointRejectedError
from models.events import Wire, encode_event, parse
from models.identity import identify
from models.links import encode, links_of
from models.topics import EVENTS, IDENTITY_LINKS
from streams import past, topics
from streams.app import app, rules, settings
from streams.dead_letters import bury
from streams.lane import Batch, Outbox, Record


class Recent:
    """The newest ids, so that a link is not sent with every page view. Forgetting does no harm."""

    def __init__(self, limit: int = 100_000) -> None:
        self._limit = limit
        self._ids: OrderedDict[str, None] = OrderedDict()

    def add(self, id: str) -> bool:
        """Remember an id; return whether it is new."""
        if id in self._ids:
            self._ids.move_to_end(id)
            return False
        self._ids[id] = None
        if len(self._ids) > self._limit:
            self._ids.popitem(last=False)
        return True


@app.agent(topics.touchpoints, name="validate")
async def validate(batches: Any) -> None:
    """Send each readable touchpoint on, keyed by its customer."""
    linked = Recent()
    async for batch in batches:
        outbox = Outbox()
        for record in batch:
            try:
                accept(outbox, batch, record, linked)
            except TouchpointRejectedError as rejected:
                bury(outbox, batch, record, rejected)
        if not await app.complete(batch, outbox):
            linked = Recent()  # its links may not have left: send them with the batch again
        await past.abreast(len(batch))


def accept(outbox: Outbox, batch: Batch, record: Record, linked: Recent) -> None:
    """Add what one record leads to. Raises TouchpointRejectedError, having added nothing."""
    wire = Wire.of(record.headers, record.timestamp, batch.topic, batch.partition, record.offset)
    touchpoint = parse(record.value, wire, settings.max_event_bytes)
    event = identify(touchpoint, f"{batch.topic}/{batch.partition}", record.offset, rules)
    outbox.send(EVENTS, event.customer_id.encode(), encode_event(event))
    for link in links_of(event, linked.add, rules):
        outbox.send(IDENTITY_LINKS, link.left.encode(), encode(link))
