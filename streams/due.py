"""Silence: when a customer's timer is due and nothing came, the log is told so.

Only the owner of a partition watches its customers. What is appended is an event
like any other: the fold alone acts on it, and a replay finds it in the log.
Here the wall clock tells that a timer is due; of a past that is read in, `streams.past` does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from models.customer import Customer
from models.events import encode_event
from models.regroup import wanted_until
from models.timers import Alarms, Waiting, fired, waiting, wake_ms
from models.topics import EVENTS, PROFILES
from streams import past, refold
from streams.app import app, settings
from streams.lane import Outbox, StateTable
from streams.lane.fatal import die

EVERY = 1.0  # seconds between looks
BEHIND = 10_000  # records unread in one partition
AT_ONCE = 2_000  # customers a look: a long silence of everybody does not flood the log

customers: StateTable = app.StateTable("customers", source=EVENTS, changelog=PROFILES)
_alarms: dict[int, Alarms] = {}
_setting: set[asyncio.Task[None]] = set()
_grace_ms = int(settings.backfill_grace_seconds * 1000)


@customers.on_recovered
def watch(partition: int) -> None:
    """Begin to set the alarms of a partition that has become ours; streams do not wait for it."""
    alarms = _alarms[partition] = Alarms()
    refold.begin(partition)
    past.begin(partition)
    task = asyncio.create_task(set_all(partition, alarms))
    _setting.add(task)
    task.add_done_callback(_setting.discard)


async def set_all(partition: int, alarms: Alarms) -> None:
    """Set the alarms of all its customers, and note who waits to be read again, as they are."""
    try:
        async for portion in customers.scan(partition):
            for key, value in portion:
                look(partition, alarms, key, waiting(value))
    except Exception as error:
        die(f"cannot set the alarms of {partition}", error)


@customers.on_revoked
def unwatch(partition: int) -> None:
    """Forget a partition's alarms: somebody else has them now."""
    _alarms.pop(partition, None)
    refold.forget(partition)
    past.forget(partition)


def reset(partition: int, changed: Iterable[tuple[bytes, Customer]]) -> None:
    """Set the alarms of customers that have just changed."""
    alarms = _alarms.get(partition)
    if alarms is None:
        return  # lost meanwhile
    for key, customer in changed:
        look(partition, alarms, key, _waiting(customer))


def look(partition: int, alarms: Alarms, key: bytes, customer: Waiting) -> None:
    """Set one customer's alarms, and note whether its own events are wanted."""
    alarms.set(key, wake_ms(customer, _grace_ms))
    past.note(partition, key, customer)
    refold.note(partition, key, wanted_until(customer.regroup))


def _waiting(customer: Customer) -> Waiting:
    return Waiting(
        customer_id=customer.customer_id,
        clock_ms=customer.clock_ms,
        received_ms=customer.received_ms,
        timers=customer.timers,
        regroup=customer.regroup,
    )


@app.task  # type: ignore[untyped-decorator]
async def ring() -> None:
    """Look every second whose timers are due, and append that they fired."""
    while not app.should_stop:
        await asyncio.sleep(EVERY)
        if any((lag or 0) > BEHIND for lag in app.lags().values()):
            continue  # who seems silent may only be waiting to be read
        for partition in list(_alarms):
            await ring_once(partition, time.time_ns() // 1_000_000)


async def ring_once(partition: int, now_ms: int) -> int:
    """Append what is due in one partition by now; return how many customers it is."""
    alarms = _alarms.get(partition)
    if alarms is None or app.should_stop:
        return 0  # lost meanwhile, or what it is kept in is being closed
    outbox = Outbox()
    for _, key in alarms.due(now_ms, AT_ONCE):
        value = customers.partition(partition).get(key)
        if value is None:
            continue
        customer = waiting(value)
        if (held := past.held(partition, customer)) > now_ms:
            alarms.set(key, held)
            continue
        due = min(customer.timers.values(), default=None)
        if due is not None and due <= now_ms:
            event = fired(key.decode(), due, now_ms)
            outbox.send(EVENTS, key, encode_event(event))
    if len(outbox):
        await app.publish(outbox)
    return len(outbox)
