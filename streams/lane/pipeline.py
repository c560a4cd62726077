"""How the producer is handed record batches, and how many requests it has under way to a broker.

Of requests, aiokafka's own has one: an agent's records wait for those of another, though they go to
other partitions. A partition has one at a time as before, so the order within it and the
sequence numbers by which the broker knows a repeated one stay as they are.

A batch for a partition of which none waits is taken at once. The producer's own way, `send_batch`,
is for those that have to wait: it costs five calls and a future more.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from aiokafka import TopicPartition

MOST = 5  # Java's default


def has_room(producer: Any, place: tuple[str, int]) -> bool:
    """Tell whether a batch for a partition is taken at once: none waits, and none is refused."""
    batches = producer._message_accumulator
    return not (
        batches._batches.get(place)
        or batches._closed
        or batches._exception is not None
        or producer.client.cluster.partitions_for_topic(place[0]) is None
    )


def take(producer: Any, place: tuple[str, int], batch: Any) -> asyncio.Future[Any]:
    """Hand it a batch, where there is room; the future has its offset when brokers have it."""
    future: asyncio.Future[Any] = producer._message_accumulator._append_batch(
        batch, TopicPartition(*place)
    ).future
    return future


class Busy(set[int]):
    """The brokers that have as many requests under way as may be, as the sender counts them."""

    def __init__(self) -> None:
        super().__init__()
        self._under_way: Counter[int] = Counter()

    def add(self, node: int) -> None:
        """Count a request that begins."""
        self._under_way[node] += 1
        if self._under_way[node] >= MOST:
            super().add(node)

    def remove(self, node: int) -> None:
        """Count a request that has ended."""
        self._under_way[node] -= 1
        self.discard(node)
