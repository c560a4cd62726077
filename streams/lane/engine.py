"""Where the lane meets Faust: every private name of it that the lane uses is here.

The consumer hands a partition's records to their agent as one batch and commits in order:
the first offset that is not wholly processed. Of Faust's own messages, whose acknowledgement
comes in a `finally` and so for failed work too, there are none.
`tests/contract/test_lane_seams.py` says what broke when Faust or aiokafka change.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from time import monotonic
from typing import Any

from faust.tables.manager import TableManager
from faust.transport.drivers.aiokafka import Consumer, Transport
from faust.types.tuples import TP

from streams.lane.batch import Batch, Record
from streams.lane.fence import Fence
from streams.lane.fetch import Fetching
from streams.lane.offsets import Offsets

OPEN_BATCHES = 3  # full ones of a partition, in work or waiting; more are left with the fetcher
IDLE = 0.02  # seconds until a partition that had to wait is looked at again
FETCH_WAIT = 0.25


class BatchConsumer(Consumer):  # type: ignore[misc]
    """Faust's consumer, a batch at a time, handed to its agent at once.

    Faust's own way there, as a message to the conductor and an event of a channel to the
    agent's stream, takes more than twice the CPU, and turns of the event loop.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.offsets = Offsets()
        self._fetching = asyncio.Lock()
        super().__init__(*args, **kwargs)
        self.fence: Fence = self.app.fence
        self.fence.membership = self.membership
        self.names: Mapping[str, str] = self.app.names  # full topic name -> the catalogue's
        # When an agent was last handed something: Faust reports a stream that stands still by it.
        self._handed: dict[TP, float] = self.app.monitor.stream_inbound_time

    def _new_consumer_thread(self) -> Fetching:
        return Fetching(self, loop=self.loop, beacon=self.beacon)

    async def _drain_messages(self, fetcher: Any) -> None:
        """Fetch and hand out, until stopped. Replaces Faust's loop over single messages."""
        try:
            await self._fetch_on(fetcher)
        except asyncio.CancelledError:
            # While partitions move, Faust takes a cancelled fetcher for a crash: not at the end.
            if not self.app.should_stop:
                raise

    async def _fetch_on(self, fetcher: Any) -> None:
        while not (self._stopped.is_set() or fetcher._stopped.is_set()):
            if not self.flow_active:
                await self.wait(self.can_resume_flow)
                continue
            if not self.fence.ready:
                await asyncio.sleep(IDLE)
                continue
            room = self._room()
            if not room:
                await asyncio.sleep(IDLE)
                continue
            async with self._fetching:
                # A partition without room is not fetched from; do not make it wait for others.
                full = len(room) < len(self._get_active_partitions())
                fetched = await self._thread.take(room, IDLE if full else FETCH_WAIT)
                for tp, records in fetched.items():
                    self._hand_out(TP(*tp), records)
            await asyncio.sleep(0)

    def _room(self) -> dict[TP, int]:
        """Return how many records each partition's next batch may hold, if it may have one."""
        room = {}
        for tp in self._get_active_partitions():
            most = self.app.pace.records(self.names[tp.topic])
            if self.offsets.open(tp) <= (OPEN_BATCHES - 1) * most:
                room[tp] = most
        return room

    def _hand_out(self, tp: TP, records: Sequence[Record]) -> None:
        start = self.offsets.next(tp)
        if records[0].offset < start:
            records = [record for record in records if record.offset >= start]
        if not (records and self.flow_active and self.fence.ready and tp in self.fence.places):
            return  # `rewind` makes Kafka deliver them again
        batch = Batch(self.names[tp.topic], tp.partition, tuple(records), self.fence.tenure)
        self.offsets.handed_out(tp, batch.last, len(batch))
        self._handed[tp] = monotonic()
        self.app.partitions.hand(batch)

    async def rewind(self) -> None:
        """Set every assigned partition to its committed offset, or to its beginning.

        A fetch that began before a rebalance can end after it, and what it took is
        dropped: only when none is on its way any more can positions be set for good.
        """
        tenure = self.fence.tenure
        async with self._fetching:
            committed = await self.seek_to_committed() if self.assignment() else {}
            fresh = [tp for tp, offset in committed.items() if not offset]
            if fresh:
                # aiokafka's own way to the beginning waits for the fetches that are out: a second.
                await self._thread.seek_wait(await self._thread.earliest_offsets(*fresh))
            if self.fence.tenure == tenure:
                self.offsets.begin({TP(*tp): at for tp, at in committed.items() if at})
                self.fence.ready = True

    def finish(self, batch: Batch, full_name: str) -> None:
        """Note that a batch is wholly processed: its offset may be committed."""
        for last in batch.deliveries():
            self.offsets.finished(TP(full_name, batch.partition), last)

    def in_tenure(self) -> list[TP]:
        """Return the partitions that this worker owns and reads."""
        return [TP(*place) for place in self.fence.places]

    def position_done(self, tp: TP) -> int | None:
        """Return the first offset that is not wholly processed, None when not known yet."""
        return self.offsets.done(tp)

    def lag(self, tp: TP) -> int | None:
        """Return how many offsets are not wholly processed, None when not known yet."""
        end = self.highwater(tp)
        return None if end is None else max(0, int(end) - (self.offsets.done(tp) or 0))

    def membership(self) -> int:
        """Return the group generation that the coordinator last confirmed; -1 when put out."""
        coordinator = self._coordinator()
        return -1 if coordinator is None else int(coordinator.generation)

    def leave(self) -> None:
        """When it stops, leave the group at once: a static member would keep its place."""
        coordinator = self._coordinator()
        if coordinator is not None:
            coordinator._group_instance_id = None

    def adrift(self) -> bool:
        """Whether nobody looks after the membership any more: an error ended it for good."""
        coordinator = self._coordinator()
        return coordinator is not None and bool(coordinator._coordination_task.done())

    def _coordinator(self) -> Any:
        consumer = self._thread._consumer
        return None if consumer is None else consumer._coordinator

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        places = self.offsets.places()
        return (tp for tp in places if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        return self.offsets.done(tp)

    async def wait_empty(self) -> None:
        """Give the batches in hand a while to finish, then commit what is done."""
        patience = self.app.conf.broker_rebalance_timeout / 4
        deadline = self.loop.time() + patience
        while self.loop.time() < deadline and self.app.partitions.in_hand:
            await asyncio.sleep(IDLE)
        await self.commit_and_end_transactions()

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Commit what is done (inside `super`), and only then forget it."""
        await super().on_partitions_revoked(revoked)
        self.fence.end()
        self.offsets.end()

    async def on_partitions_assigned(self, assigned: Any, generation_id: int = 0) -> None:
        """Begin a tenure."""
        self.fence.begin(generation_id, {(tp.topic, tp.partition) for tp in assigned})
        await super().on_partitions_assigned(assigned, generation_id)


class BatchTransport(Transport):  # type: ignore[misc]
    """Faust's aiokafka transport with the batch consumer."""

    Consumer = BatchConsumer


class Tables(TableManager):  # type: ignore[misc]
    """No Faust tables, yet their sticky assignor: it is chosen where a changelog exists."""

    @property
    def changelog_topics(self) -> set[str]:
        """Return the changelogs of the lane's tables; no group member subscribes to them."""
        return {table.changelog for table in self.app.keeper.tables}
