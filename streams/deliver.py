"""Step 7, deliver: alerts -> the outbox, and from there the configured webhook; deliveries.

The agent only takes alerts into `outbox`; the courier attempts what is due. So a slow
receiver delays nobody but itself, and an alert that is known by its id, done or not,
is never taken again: a replay delivers nothing.
"""

from __future__ import annotations

from typing import Any

import msgspec

from models.delivery import accept
from models.errors import Reason, TouchpointRejectedError
from models.records import Alert
from streams import courier, topics
from streams.app import app, settings
from streams.dead_letters import bury
from streams.lane import Batch, Outbox, Record, View
from streams.outbox import enqueue, now_ms, outbox, report, write

_read = msgspec.json.Decoder(Alert).decode
app.task(courier.work)


@app.agent(topics.alerts, name="deliver")
async def deliver(batches: Any) -> None:
    """Take each alert into the outbox, once."""
    async for batch in batches:
        state = await outbox.open(batch)
        sent = Outbox()
        if settings.webhook_url:
            take(batch, state, sent, now_ms())
        if await app.complete(batch, sent, state):
            for key, value in state.changes.items():
                enqueue(batch.partition, key, value)


def take(batch: Batch, state: View, sent: Outbox, now: int) -> None:
    """Put every alert that is not known yet; what is old news expires at once."""
    for record in batch:
        try:
            alert = _alert(record)
        except TouchpointRejectedError as rejected:
            bury(sent, batch, record, rejected)
            continue
        key = alert.alert_id.encode()
        if state.get(key) is not None:
            continue
        entry, made = accept(alert, now, courier.MAX_AGE_MS)
        state.put(key, write(entry))
        if made is not None:
            report(sent, made)


def _alert(record: Record) -> Alert:
    if not record.value:
        raise TouchpointRejectedError(Reason.EMPTY, "an alert without a value")
    try:
        return _read(record.value)
    except msgspec.MsgspecError as error:
        raise TouchpointRejectedError(Reason.BAD_FIELD, str(error)) from error
