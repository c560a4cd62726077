"""Step 2, resolve: identity-links -> events (CustomerMerged, CustomerRegrouped, by member).

One partition, so one writer sees every link in one order and no two merges race. Its
state is written whole or not at all, with how far it goes: so no command counts twice.
"""

from __future__ import annotations

import logging
from typing import Any, get_args

import msgspec

from models.errors import Reason, TouchpointRejectedError
from models.events import encode_event
from models.links import (
    APPLIED,
    MEANS,
    WAYS,
    Command,
    Identity,
    Link,
    Refusal,
    Resolution,
    Why,
    decode_identity,
    decode_link,
    encode,
    follow,
    told,
)
from models.topics import EVENTS, IDENTITIES, IDENTITY_LINKS
from streams import topics
from streams.app import app, rules
from streams.dead_letters import bury
from streams.lane import Batch, Outbox, Record, View

_APPLIED = APPLIED.encode()
identities = app.StateTable("identities", source=IDENTITY_LINKS, changelog=IDENTITIES)
refused: dict[str, int] = dict.fromkeys(get_args(Why), 0)  # links not followed, by reason
app.tells["links"] = lambda: {"refused": refused}
_log = logging.getLogger(__name__)


class Applied(msgspec.Struct, frozen=True):
    """How far the forest goes: the newest offset of identity-links that is in it."""

    applied: int = -1


_decode_applied = msgspec.json.Decoder(Applied).decode


class Forest:
    """The forest in the hands of one batch: what it met is decoded once, and written once."""

    def __init__(self, state: View) -> None:
        self._state = state
        self._met: dict[str, Identity | None] = {}
        self._changed: dict[str, None] = {}
        self._applied = _decode_applied(state.get(_APPLIED) or b"{}").applied

    def find(self, id: str) -> Identity | None:
        """Return a customer's node, None when it has none."""
        if id not in self._met:
            value = self._state.get(id.encode())
            self._met[id] = None if value is None else decode_identity(value)
        return self._met[id]

    def knows(self, offset: int) -> bool:
        """Tell whether a command is in it already: it was delivered before."""
        return offset <= self._applied

    def take(self, found: Resolution) -> None:
        """Take in what a command changes."""
        self._met |= found.changes
        self._changed |= dict.fromkeys(found.changes)

    def write(self, offset: int) -> None:
        """Hand all that changed to the state, and how far it goes."""
        for id in self._changed:
            self._state.put(id.encode(), encode(self._met[id]))
        if self._changed:
            self._state.put(_APPLIED, encode(Applied(offset)))


@app.agent(topics.identity_links, name="resolve")
async def resolve_links(batches: Any) -> None:
    """Merge and part customers as the commands say, unless the rules forbid it."""
    async for batch in batches:
        state = await identities.open(batch)
        outbox, forest = Outbox(), Forest(state)
        for record in batch:
            try:
                if not forest.knows(record.offset):
                    carry_out(outbox, forest, batch, record)
            except TouchpointRejectedError as rejected:
                bury(outbox, batch, record, rejected)
        forest.write(batch.last)
        await app.complete(batch, outbox, state)


def carry_out(outbox: Outbox, forest: Forest, batch: Batch, record: Record) -> None:
    """Add what one command leads to. Raises TouchpointRejectedError, having sent nothing."""
    command = _command(record)
    found = follow(command, forest.find, record.offset, rules)
    forest.take(found)
    for event in told(command, found, f"{batch.topic}/{batch.partition}", record.offset):
        outbox.send(EVENTS, event.customer_id.encode(), encode_event(event))
    if found.refusal is not None:
        _tell(found.refusal, found.news)
        if isinstance(command, Link) and command.kind == "stated":
            why = found.refusal.reason
            raise TouchpointRejectedError(Reason.REFUSED, f"{MEANS[why]} ({why}); {WAYS[why]}")


def _command(record: Record) -> Command:
    try:
        return decode_link(record.value or b"")
    except msgspec.DecodeError as error:
        raise TouchpointRejectedError(Reason.BAD_FIELD, f"not a link: {error}") from error


def _tell(refusal: Refusal, news: bool) -> None:
    refused[refusal.reason] += 1
    if news:  # once for a customer and reason: an attack must not fill the log
        _log.warning(
            "link %s to %s is not followed: %s (c360 identity show tells more)",
            refusal.link_id, refusal.other, refusal.reason,
        )  # fmt: skip
