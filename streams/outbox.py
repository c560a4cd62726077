"""What is to be delivered, and what was: the table `outbox`, and the queue that reminds.

The table is the truth and outlives a crash; the queue is made from it again whenever
a partition becomes this worker's.
"""

from __future__ import annotations

import time

import msgspec

from models.delivery import Entry
from models.records import Delivery
from models.topics import ALERTS, DELIVERIES, OUTBOX
from streams.app import app
from streams.lane import Outbox
from streams.queue import Queue

REMEMBER_MS = 90 * 86_400_000  # as long as the alerts topic keeps what could be replayed

outbox = app.StateTable("outbox", source=ALERTS, changelog=OUTBOX)
queue = Queue()
outbox.on_revoked(queue.drop)
read = msgspec.json.Decoder(Entry).decode
write = msgspec.json.Encoder().encode


def now_ms() -> int:
    """Return the wall clock, in ms."""
    return time.time_ns() // 1_000_000


@outbox.on_recovered
def resume(partition: int) -> None:
    """Queue what was under way when the partition changed hands."""
    for key, value in outbox.partition(partition).items():
        enqueue(partition, key, value)


def enqueue(partition: int, key: bytes, value: bytes | None) -> None:
    """Queue an outbox entry for its next attempt or, when it is done, for being forgotten."""
    if value is not None:
        entry = read(value)
        wait = 0 if entry.status == "pending" else REMEMBER_MS
        queue.put(entry.due_ms + wait, partition, key)


def report(sent: Outbox, made: Delivery) -> None:
    """Add an attempt to the ledger's topic."""
    sent.send(DELIVERIES, made.customer_id.encode(), write(made))
