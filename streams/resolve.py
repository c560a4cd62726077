"""Step 2, resolve: identity-links -> events (CustomerMerged, keyed by the loser).

One partition, so one writer sees every link in one order and no two merges race.
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from models.errors import Reason, TouchpointRejectedError
from models.events import encode_event
from models.links import (
    Identity,
    Link,
    Unmerge,
    decode_identity,
    decode_link,
    encode,
    merged,
    resolve,
)
from models.topics import EVENTS, IDENTITIES, IDENTITY_LINKS
from streams import topics
from streams.app import app
from streams.dead_letters import bury
from streams.lane import Batch, Outbox, Record, View

identities = app.StateTable("identities", source=IDENTITY_LINKS, changelog=IDENTITIES)
_log = logging.getLogger(__name__)


@app.agent(topics.identity_links, name="resolve")
async def resolve_links(batches: Any) -> None:
    """Merge the customers whom each link joins, unless the rules forbid it."""
    async for batch in batches:
        state = await identities.open(batch)
        outbox = Outbox()
        for record in batch:
            try:
                follow(outbox, state, batch, record)
            except TouchpointRejectedError as rejected:
                bury(outbox, batch, record, rejected)
        await app.complete(batch, outbox, state)


def follow(outbox: Outbox, state: View, batch: Batch, record: Record) -> None:
    """Add what one link leads to. Raises TouchpointRejectedError on what is no link."""
    link = _link(record)
    if isinstance(link, Unmerge):
        raise TouchpointRejectedError(Reason.BAD_FIELD, "no unmerge yet")

    def lookup(id: str) -> Identity | None:
        value = state.get(id.encode())
        return None if value is None else decode_identity(value)

    found = resolve(link, lookup)
    for id, identity in found.changes.items():
        state.put(id.encode(), encode(identity))
    if found.merge is not None:
        event = merged(link, found.merge, f"{batch.topic}/{batch.partition}", record.offset)
        outbox.send(EVENTS, found.merge.loser.encode(), encode_event(event))
    elif found.refusal is not None:
        _log.debug("link %s not followed: %s", link.link_id, found.refusal.reason)


def _link(record: Record) -> Link | Unmerge:
    try:
        return decode_link(record.value or b"")
    except msgspec.DecodeError as error:
        raise TouchpointRejectedError(Reason.BAD_FIELD, "not a link") from error
