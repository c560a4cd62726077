"""A past that is read in: who falls silent in it is told where it happens in it.

Behind each batch the log is told whose timers the past has come past, so that labels of those who
stayed away are learnt among those of who came back. The law: what fires is an event in the log,
and only near the log's end, for in a log that is read again it is still to come.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from datetime import timedelta

from models.events import Event, encode_event
from models.timers import LATE_MS, Alarms, Waiting, fired, held_ms, past_ms
from models.topics import EVENTS, EXAMPLES, TOUCHPOINTS
from models.watermark import Watermark
from streams.app import app, settings
from streams.lane import Outbox

BEHIND = 10_000  # records unread in a partition: what is appended would come too late
AHEAD = 1_000  # records unread in a partition, from which on no more are added for a while
LOT = 1_000  # records of a past that are validated at once: its partitions are read side by side
MUCH = 4  # one of so many events is of a past: it is read in
RECENTLY = 5_000  # ms since something of a past was read: it goes on
AT_ONCE = 500  # customers a batch
MANY = 100  # records at once: more than come together in the present
WAIT, LONGEST = 0.02, 1.0  # seconds
_LATE = timedelta(milliseconds=LATE_MS)
_TOUCHPOINTS = f"{TOUCHPOINTS.name}/"

_events = settings.topic(EVENTS)
_awaited = {_events, settings.topic(EXAMPLES)}
_grace_ms = int(settings.backfill_grace_seconds * 1000)


class Past:
    """What is watched of one partition: how far the past is, and who waits for it to get there."""

    __slots__ = ("alarms", "most_ms", "watermark")

    def __init__(self) -> None:
        self.alarms, self.watermark = Alarms(), Watermark()
        self.most_ms = 0  # when it was much of what was read, and not some late events


_pasts: dict[int, Past] = {}


def begin(partition: int) -> None:
    """Watch a partition that has become ours."""
    _pasts[partition] = Past()


def forget(partition: int) -> None:
    """Watch it no more."""
    _pasts.pop(partition, None)


def note(partition: int, key: bytes, customer: Waiting) -> None:
    """Note for when a customer waits, who has just changed."""
    if (past := _pasts.get(partition)) is not None:
        past.alarms.set(key, past_ms(customer))


def read(partition: int, events: Collection[Event], now_ms: int) -> None:
    """Note how far those of a batch's events are that are of a past."""
    past = _pasts.get(partition)
    if past is None:
        return
    late = 0
    for event in events:
        if event.received_at - event.occurred_at > _LATE and event.origin.startswith(_TOUCHPOINTS):
            past.watermark.note(event.origin, event.occurred_ms, now_ms)
            late += 1
    if late * MUCH > len(events):
        past.most_ms = now_ms


def fire(partition: int, outbox: Outbox, now_ms: int) -> None:
    """Append whose timers the past has come past: nothing older than that is to be read."""
    past = _pasts.get(partition)
    if past is None:
        return
    reached = past.watermark.reached(now_ms, _grace_ms)
    if reached is None or _unread(partition) > BEHIND:
        return
    for due, key in past.alarms.due(reached, AT_ONCE):
        event = fired(key.decode(), due, now_ms, reached)
        outbox.send(EVENTS, key, encode_event(event))


def held(partition: int, customer: Waiting) -> int:
    """Return until when (wall time, ms) a customer is not taken for silent: a past goes on."""
    past = _pasts.get(partition)
    read_ms = None if past is None else past.watermark.read_ms()
    return 0 if read_ms is None else held_ms(customer, read_ms, _grace_ms)


async def abreast(validated: int) -> None:
    """While a past is read: wait, no longer than LONGEST, until fold and learner are abreast.

    What fires is appended behind all that waits there, and what was learnt late predicts late:
    the less waits, the more in its place. `validated`: records just now.
    """
    now_ms = time.time_ns() // 1_000_000
    if max((one.most_ms for one in _pasts.values()), default=0) < now_ms - RECENTLY:
        app.pace.most.pop(TOUCHPOINTS.name, None)
        return
    app.pace.most[TOUCHPOINTS.name] = LOT
    waited = 0.0 if validated >= MANY else LONGEST
    while waited < LONGEST and _most_unread() > AHEAD and not app.should_stop:
        await asyncio.sleep(WAIT)
        waited += WAIT


def _unread(partition: int) -> int:
    return app.lags().get((_events, partition)) or 0


def _most_unread() -> int:
    return max((lag or 0 for (topic, _), lag in app.lags().items() if topic in _awaited), default=0)
