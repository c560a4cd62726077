"""A past that is read in, step by step without a broker: what is told of silence, and when."""

import asyncio
import time
from datetime import timedelta

import pytest

from models.customer import Customer, encode
from models.events import Identifier, decode_event, encode_event
from models.identity import customer_id_of, identify
from models.rhythm import DAY_MS
from models.timers import fired
from models.topics import EVENTS
from models.watermark import ALLOWANCE_MS, WINDOW
from streams import due, fold, past
from streams.lane import Batch, Outbox, Record, View
from streams.lane.restore import Copy
from streams.lane.state import Partition
from streams.lane.store import MemoryStore
from tests.support.histories import ANA, NOON, event

HERE = 3
ANA_ID = customer_id_of(ANA)
ANA_KEY = ANA_ID.encode()
NOW_MS = event(at=NOON).occurred_ms
BEN = Identifier(type="user_id", value="ben")


@pytest.fixture
async def log(monkeypatch):
    """One owned partition: fold batches of it, and have what is appended."""
    log, held, unread = Log(), {}, {("events", HERE): 0}
    owned = Partition(Copy(MemoryStore(held)), epoch=1)
    monkeypatch.setitem(due.customers._partitions, HERE, owned)
    monkeypatch.setattr(past, "_events", "events")
    monkeypatch.setattr(past, "_awaited", {"events", "examples"})
    monkeypatch.setattr(past.app, "lags", lambda: unread)
    monkeypatch.setattr(past.app, "publish", log.publish)
    monkeypatch.setattr(past.app, "complete", log.complete)
    monkeypatch.setattr(due.customers, "open", log.open)
    log.held, log.unread = held, unread
    due.watch(HERE)
    await asyncio.gather(*due._setting)
    yield log
    due.unwatch(HERE)


class Log:
    def __init__(self):
        self.appended, self.offset = [], 0

    async def publish(self, outbox):
        self.appended += [decode_event(one.value) for one in outbox.messages]

    async def complete(self, batch, outbox, view):
        of = [one for one in outbox.messages if one.topic == EVENTS]
        self.appended += [decode_event(one.value) for one in of]
        self.held.update(view.changes)
        return True

    async def open(self, batch):
        return View(self.held, partition=HERE)

    async def fold(self, *touches):
        """Fold a batch: who, and how many days before now."""
        records = []
        for who, days in touches:
            at, self.offset = NOON - timedelta(days=days), self.offset + 1
            one = event(at=at, received_at=NOON, id=f"e{self.offset}", who=(who,))
            told = encode_event(identify(one, "touchpoints/0", self.offset))
            records.append(Record(self.offset, b"k", told))

        async def batches():
            yield Batch(EVENTS.name, HERE, tuple(records))

        await fold.fold.fun.__wrapped__(batches())


def bens(first, last):
    """A window's visits of one who comes all the time."""
    step = (first - last) / WINDOW
    return [(BEN, first - step * number) for number in range(WINDOW)]


async def test_who_fell_silent_in_a_past_is_told_as_soon_as_the_past_is_beyond(log):
    await log.fold((ANA, 100), *bens(99, 90))
    await log.fold(*bens(90, 85))
    assert log.appended == []
    await log.fold((BEN, 84))
    [one] = log.appended
    assert (one.type, one.customer_id, one.due_ms) == ("timer_fired", ANA_ID, NOW_MS - 93 * DAY_MS)
    assert one.occurred_ms == NOW_MS - 90 * DAY_MS - ALLOWANCE_MS
    assert one.received_ms > one.occurred_ms


async def test_what_was_read_in_once_fires_no_more_until_it_changes(log):
    await log.fold((ANA, 100), *bens(99, 90))
    await log.fold(*bens(85, 84))
    await log.fold((BEN, 84))
    await log.fold((BEN, 84))
    assert len(log.appended) == 1


async def test_a_log_that_is_far_from_its_end_is_told_nothing(log):
    log.unread["events", HERE] = past.BEHIND + 1
    await log.fold((ANA, 100), *bens(85, 84))
    await log.fold((BEN, 84))
    assert log.appended == []


async def test_the_present_tells_nothing_of_a_past(log):
    now = Outbox()
    live = [event(at=NOON, received_at=NOON, id=f"e{n}", who=(BEN,)) for n in range(2 * WINDOW)]
    past.read(HERE, [identify(one, "touchpoints/0", 1) for one in live], NOW_MS)
    past.fire(HERE, now, NOW_MS)
    assert past._pasts[HERE].watermark.read_ms() is None
    assert len(now) == 0


async def test_while_a_past_goes_on_the_clock_takes_nobody_for_silent(log, monkeypatch):
    monkeypatch.setattr(due, "_grace_ms", 1_000)
    monkeypatch.setattr(past, "_grace_ms", 1_000)
    waits = Customer(customer_id=ANA_ID, clock_ms=5, received_ms=NOW_MS, timers={"silence": 6})
    log.held[ANA_KEY] = encode(waits)
    due.reset(HERE, [(ANA_KEY, waits)])
    ben = identify(event(at=NOON - timedelta(days=9), who=(BEN,)), "touchpoints/0", 1)
    past.read(HERE, [ben], NOW_MS + 900)
    assert await due.ring_once(HERE, NOW_MS + 1_000) == 0
    assert await due.ring_once(HERE, NOW_MS + 1_899) == 0
    assert await due.ring_once(HERE, NOW_MS + 1_900) == 1
    assert log.appended == [fired(ANA_ID, 6, NOW_MS + 1_900)]


async def test_validating_a_past_waits_for_the_fold_but_not_for_ever(log, monkeypatch):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 3:
            log.unread["events", HERE] = past.AHEAD

    monkeypatch.setattr(past.asyncio, "sleep", sleep)
    log.unread["events", HERE] = past.AHEAD + 1
    await past.abreast(past.MANY)
    assert (slept, past.app.pace.most) == ([], {})
    ben = identify(event(at=NOON - timedelta(days=9), who=(BEN,)), "touchpoints/0", 1)
    now = identify(event(at=NOON, who=(BEN,)), "touchpoints/0", 1)
    past.read(HERE, [ben, *[now] * past.MUCH], time.time_ns() // 1_000_000)
    await past.abreast(past.MANY)
    assert (slept, past.app.pace.most) == ([], {})  # late events are no past
    past.read(HERE, [ben], time.time_ns() // 1_000_000)
    await past.abreast(past.MANY - 1)
    assert (slept, past.app.pace.most) == ([], {"touchpoints": past.LOT})
    await past.abreast(past.MANY)
    assert len(slept) == 3
    log.unread["events", HERE] = past.AHEAD + 1
    await past.abreast(past.MANY)
    assert sum(slept[3:]) == pytest.approx(past.LONGEST)
    past.forget(HERE)
    await past.abreast(past.MANY)
    assert past.app.pace.most == {}
