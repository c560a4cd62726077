"""Beside step 3, refold: an unmerged member's own events, read again -> events (CustomerRefolded).

The owner of a partition reads it from the beginning, once for all of its customers that wait,
while the streams go on. What is appended follows from the log alone, so a pass that a crash
or a new owner repeats says the same again, and the fold takes it in once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextlib import aclosing
from time import perf_counter
from typing import Any

from models.events import decode_event, encode_event
from models.regroup import Part, refolded
from models.topics import EVENTS
from streams.app import app
from streams.lane import Outbox
from streams.lane.fatal import die
from streams.lane.history import history

EVERY = 0.5  # seconds between looks for who waits
REST = 1.0  # a pass rests so many times as long as it worked: the streams come first

Until = dict[bytes, int]  # key -> offset of the regrouping: the customer's own events end there


class Waits:
    """Who waits in one partition."""

    __slots__ = ("_told", "until")

    def __init__(self) -> None:
        self.until: Until = {}
        self._told: Until = {}  # is on the log; the fold has yet to come to it

    def note(self, key: bytes, until: int | None) -> None:
        """Note up to where a customer's own events are wanted; None: they are not."""
        if until is not None:
            self.until[key] = until
        elif self.until.pop(key, None) is not None:
            self._told.pop(key, None)

    def tell(self, some: Until) -> None:
        """Note whose own events were appended."""
        self._told |= some

    def unread(self) -> Until:
        """Return those for whom nothing was appended yet."""
        return {key: at for key, at in self.until.items() if self._told.get(key) != at}


class Pass:
    """One reading of a partition for some customers, each read up to its own regrouping."""

    __slots__ = ("_parts", "end", "partition", "position", "unread")

    def __init__(self, partition: int, unread: Until) -> None:
        self.partition = partition
        self.unread = unread
        self.position = 0
        self.end = max(unread.values()) + 1
        self._parts = {key: Part(key.decode()) for key in unread}

    def take(self, records: Iterable[Any], outbox: Outbox) -> Until:
        """Take in records of the log, in order. Whoever is complete is sent, and returned."""
        complete: Until = {}
        for record in records:
            until = self.unread.get(record.key)
            if until is None or record.offset > until:
                continue
            try:
                event = decode_event(record.value or b"")
            except ValueError:
                continue  # the fold has buried it
            if record.offset < until:
                self._parts[record.key].take(event)
                continue
            if event.type != "customer_regrouped":
                raise LookupError(f"no regrouping at {EVENTS.name}/{self.partition}/{until}")
            own = self._parts.pop(record.key).customer()
            outbox.send(EVENTS, record.key, encode_event(refolded(event, until, own)))
            complete[record.key] = until
        return complete


_log = logging.getLogger(__name__)
_waits: dict[int, Waits] = {}
_pass: Pass | None = None


def begin(partition: int) -> None:
    """Look after a partition that has become ours."""
    _waits[partition] = Waits()


def forget(partition: int) -> None:
    """Look after a partition no longer; a pass over it ends."""
    _waits.pop(partition, None)


def note(partition: int, key: bytes, until: int | None) -> None:
    """Note up to where a customer's own events are wanted; None: they are not."""
    waits = _waits.get(partition)
    if waits is not None:
        waits.note(key, until)


def status() -> dict[str, Any]:
    """Return how many customers wait, and what is being read for how many of them.

    `left` counts the offsets until the pass's end.
    """
    waiting = sum(len(waits.until) for waits in _waits.values())
    if _pass is None:
        return {"waiting": waiting, "partition": None, "reading": 0, "left": 0}
    left = max(0, _pass.end - _pass.position)
    of = {"partition": _pass.partition, "reading": len(_pass.unread), "left": left}
    return {"waiting": waiting, **of}


app.tells["refold"] = status


@app.task  # type: ignore[untyped-decorator]
async def refold() -> None:
    """Look now and then who waits, and read one partition at a time."""
    while not app.should_stop:
        await asyncio.sleep(EVERY)
        for partition, waits in list(_waits.items()):
            if waits.unread():
                try:
                    await read(partition, waits)
                except Exception as error:
                    die(f"cannot read {EVENTS.name}/{partition} again", error)


async def read(partition: int, waits: Waits) -> None:
    """Read a partition once for those who wait, and append what their own events give."""
    global _pass
    going = _pass = Pass(partition, waits.unread())
    place = (app.prefix + EVENTS.name, partition)
    try:
        async with aclosing(history(app.brokers, place, going.end)) as portions:
            async for position, records in portions:
                begun = perf_counter()
                if going.position == 0 and records and records[0].offset > 0:
                    _log.error(
                        "%s/%d begins at %d: what was before is lost to all who are unmerged",
                        *place,
                        records[0].offset,
                    )
                outbox = Outbox()
                complete = going.take(records, outbox)
                going.position = position
                if _waits.get(partition) is not waits or app.should_stop:
                    return  # somebody else has it now, or soon, and reads it anew
                if len(outbox):
                    await app.publish(outbox)
                    waits.tell(complete)
                else:
                    await asyncio.sleep(REST * (perf_counter() - begun))
    finally:
        _pass = None
