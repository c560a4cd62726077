"""An agent once a partition: while one partition's results are on their way, others work.

Within a partition a batch begins when the agent is done with the one before, so
order, state and offsets are as with one agent; only the waiting is shared. What came
meanwhile begins as one batch: the more there is to do, the less often it is waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from streams.lane.batch import Batch, together
from streams.lane.meter import Meter

Agent = Callable[[AsyncIterator[Batch]], Coroutine[Any, Any, None]]


class Partitions:
    """Runs agents, each partition's batches in an agent's run of their own.

    `current` tells whether a batch may still begin: one that waited here while its
    partition went to somebody else may not. `most` tells how many records one of a topic
    (the catalogue's name) may hold when it is put together. `in_hand` has the partitions of
    which an agent works on a batch, by topic and number, and what of CPU it has taken for it.
    """

    def __init__(self, current: Callable[[Batch], bool], most: Callable[[str], int]) -> None:
        self.in_hand: dict[tuple[str, int], Meter] = {}
        self._desks: dict[str, Callable[[Batch], None]] = {}  # of those that run, by topic
        self._current = current
        self._most = most

    def hand(self, batch: Batch) -> None:
        """Hand a batch to its topic's agent. One that runs no more leaves it undone."""
        if (take := self._desks.get(batch.topic)) is not None:
            take(batch)

    async def run(self, topic: str, batches: AsyncIterator[Batch], agent: Agent) -> None:
        """Run an agent on what `hand` and `batches` bring, until they end or this is cancelled.

        Its runs end with it. Raises ValueError for a second agent of a topic: which one
        would be handed its batches?
        """
        if topic in self._desks:
            raise ValueError(f"{topic} has an agent already")
        waiting: dict[int, asyncio.Queue[Batch]] = {}
        runs: list[asyncio.Task[None]] = []

        def take(batch: Batch) -> None:
            if batch.partition not in waiting:
                own = waiting[batch.partition] = asyncio.Queue()
                meter = Meter()
                runs.append(asyncio.ensure_future(meter.run(agent(self._own(own, meter)))))
            waiting[batch.partition].put_nowait(batch)

        self._desks[topic] = take
        try:
            async for batch in batches:
                take(batch)
        finally:
            del self._desks[topic]
            for one in runs:
                one.cancel()
            await asyncio.gather(*runs, return_exceptions=True)

    async def _own(self, waiting: asyncio.Queue[Batch], meter: Meter) -> AsyncIterator[Batch]:
        kept: Batch | None = None
        while True:
            batch, kept = self._gathered(kept or await waiting.get(), waiting)
            if not self._current(batch):
                continue
            place = (batch.topic, batch.partition)
            self.in_hand[place] = meter
            meter.restart()
            try:
                yield batch
            finally:
                self.in_hand.pop(place, None)
            await asyncio.sleep(0)  # an agent that waits for nothing leaves others their turn

    def _gathered(self, first: Batch, waiting: asyncio.Queue[Batch]) -> tuple[Batch, Batch | None]:
        """Add what waits behind a batch until it is full; return it, and what had no place."""
        found, size = [first], len(first)
        while not waiting.empty():
            after = waiting.get_nowait()
            size += len(after)
            if size > self._most(first.topic) or after.tenure != first.tenure:
                return together(found), after
            found.append(after)
        return together(found), None
