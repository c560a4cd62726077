"""Read your own write: wait until an accepted event is in the customer that is read.

A receipt is the place that the event was given in the log, "touchpoints/3:1234".
A customer remembers the newest place applied from each log, so no clock is needed.
"""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import NamedTuple

from models.customer import Customer
from models.naming import derive
from models.topics import EVENTS
from projections.live import Live


class Receipt(NamedTuple):
    """A log and an offset in it."""

    log: str
    offset: int


def parse_receipt(text: str) -> Receipt:
    """Read "topic/partition:offset". Raises ValueError on anything else."""
    log, _, offset = text.rpartition(":")
    topic, _, partition = log.rpartition("/")
    if not topic or not _number(partition) or not _number(offset):
        raise ValueError(f"{text!r} is no receipt: it reads like touchpoints/3:1234")
    return Receipt(log, int(offset))


async def wait_for(live: Live, key: str, receipt: Receipt, timeout: float) -> Customer | None:
    """Return the customer that `key` names, with the event in it.

    Raises TimeoutError when that is not so after `timeout` seconds.
    """
    async with asyncio.timeout(timeout):
        while not reached(live, key, receipt):
            await live.turn()
    return live.get(key)


def reached(live: Live, key: str, receipt: Receipt) -> bool:
    """Tell whether the customer that `key` names has the receipt's event applied."""
    root = live.get(key)
    if root is None or root.regroup is not None:
        return False  # unknown; or put together anew, and perhaps not yet of this event
    if root.applied.get(receipt.log, -1) >= receipt.offset:
        return True
    # The event may have gone to an identity that was merged: it forwards to the root.
    start = derive(key, live.rules)
    elsewhere = {*root.absorbed, *(live.chain(start) if start else ())} - {root.customer_id}
    return any(_arrived(live, one, receipt) for one in elsewhere)


def _arrived(live: Live, merged: str, receipt: Receipt) -> bool:
    """Tell whether a merged customer had the event, and all that it forwarded is at the root."""
    steps = [one for step in live.chain(merged) if (one := live.customer(step)) is not None]
    if not steps or steps[0].applied.get(receipt.log, -1) < receipt.offset:
        return False
    return all(
        after.applied.get(f"{EVENTS.name}/{live.partition(before.customer_id)}", -1)
        >= before.forwarded
        for before, after in pairwise(steps)
    )


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit()
