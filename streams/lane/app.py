"""The application: Faust's, whose agents are handed batches.

An agent reads plainly: a batch in, one call to the core, `complete`. The law is
the order in `complete`: outputs on the broker, then state on the changelog, then
visible, and only then the source offset.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import faust
from aiokafka.errors import KafkaConnectionError

from models.topics import Topic
from streams.lane.batch import Batch, Record
from streams.lane.check import TopicsError, check_topics
from streams.lane.engine import BatchTransport
from streams.lane.fatal import EXIT_CONFIG, die
from streams.lane.fence import Fence
from streams.lane.follow import Follower
from streams.lane.keeper import Keeper
from streams.lane.outbox import Outbox
from streams.lane.pace import Pace
from streams.lane.partitions import Partitions
from streams.lane.progress import Progress
from streams.lane.publisher import Publisher
from streams.lane.state import StateTable
from streams.lane.store import MemoryStores, Stores, StoresError
from streams.lane.view import View

BEAT = 0.5  # seconds
PATIENCE = 60.0  # seconds that a partition with lag may stand still
# Seconds until a thread that has read state from disk gets its turn while the event loop works:
# Python's own five would be waited for at each batch.
TURN = 0.001

AgentFun = Callable[[Any], Awaitable[None]]


class App(faust.App):  # type: ignore[misc]
    """A Faust app on batches. `topics` are all that it reads or writes, checked at the start."""

    def __init__(
        self,
        id: str,
        *,
        brokers: str,
        prefix: str,
        partitions: int,
        topics: Iterable[Topic],
        patience: float = PATIENCE,
        stores: Stores | None = None,  # of state; none given: in memory
        **conf: Any,
    ) -> None:
        super().__init__(id, broker=f"kafka://{brokers.replace(',', ';')}", **conf)
        self.brokers = brokers
        self.prefix = prefix
        self.patience = patience
        self.keeps_place = False  # in the group, when it stops
        self.widths = {prefix + topic.name: topic.partitions or partitions for topic in topics}
        self.names = {prefix + topic.name: topic.name for topic in topics}
        self.progress = Progress()
        self.tells: dict[str, Callable[[], Any]] = {}  # by name, on the status page
        self.pace = Pace()
        self.partitions = Partitions(self._may_begin, self.pace.records)
        # Half of what the group waits: the pause is known before anybody else takes over.
        self.fence = Fence(longest_pause=self.conf.broker_session_timeout / 2)
        self.fence.on_begin = lambda: self.keeper.begin()
        self.publisher = Publisher(brokers, prefix, self.widths)
        self.keeper = Keeper(brokers, self.fence, stores or MemoryStores())
        self._taking_over = asyncio.Lock()
        self._followers: list[Follower] = []
        self._following = False
        self._watcher: asyncio.Task[None] | None = None
        self.on_rebalance_complete.connect(self._take_over, weak=False)

    def source(self, topic: Topic) -> Any:
        """Bind a topic that agents read: `@app.agent(app.source(EVENTS), name="fold")`."""
        return self.topic(self.prefix + topic.name, value_type=bytes)

    def StateTable(self, name: str, *, source: Topic, changelog: Topic) -> StateTable:
        """Return keyed state, partitioned like `source`, kept on `changelog`."""
        table = StateTable(
            name,
            source,
            changelog,
            prefix=self.prefix,
            brokers=self.brokers,
            fence=self.fence,
            publisher=self.publisher,
            stores=self.keeper.stores,
        )
        if self.widths[table.source] != self.widths[table.changelog]:
            raise ValueError(f"{table.source} and {table.changelog} differ in partitions")
        self.keeper.tables.append(table)
        return table

    def follow(self, topic: Topic, on_record: Callable[[Record], None]) -> None:
        """Hand every record of a topic, from its beginning and for ever, to `on_record`.

        All partitions, no consumer group: each worker sees everything. Streams
        begin when what was there at the start has been handed over.
        """
        name = self.prefix + topic.name
        self._followers.append(Follower(self.brokers, name, self.widths[name], on_record))

    def agent(self, channel: Any, *, name: str, **kwargs: Any) -> Callable[[AgentFun], Any]:
        """Make an agent of an `async def`, run once a partition with that one's batches.

        What it keeps beside the state is of one partition, and of that as long as the
        process lives. An error in it ends the process, unacknowledged.
        """

        def bind(fun: AgentFun) -> Any:
            self.progress.add(name, channel.get_topic_name())
            return make(self._guarded(name, self.names[channel.get_topic_name()], fun))

        make = super().agent(channel, name=name, **kwargs)
        return bind

    def _guarded(self, name: str, topic: str, fun: AgentFun) -> AgentFun:
        async def guarded(run: Awaitable[None]) -> None:
            try:
                await run
            except Exception as error:
                die(f"agent {name} failed", error)
            if not self.should_stop:
                die(f"agent {name} ended")

        @functools.wraps(fun)
        async def run(batches: Any) -> None:
            await guarded(self.partitions.run(topic, batches, lambda own: guarded(fun(own))))

        return run

    def _may_begin(self, batch: Batch) -> bool:
        return batch.tenure == self.fence.tenure and self.flow_control.is_active()

    async def publish(self, outbox: Outbox) -> None:
        """Send messages that belong to no batch; returns when the brokers have them."""
        try:
            await self.publisher.publish(outbox.messages)
        except Exception as error:
            die("cannot publish", error)

    async def complete(self, batch: Batch, outbox: Outbox, *state: View) -> bool:
        """Make a batch's results durable; False: the batch is somebody else's by now.

        The views are those that tables opened for this batch; they are given back.
        """
        meter = self.partitions.in_hand.get((batch.topic, batch.partition))
        if meter is not None:
            self.pace.took(batch.topic, len(batch), meter.seconds(), batch.size)
        try:
            return await self._complete(batch, outbox, state)
        finally:
            for view in state:
                view.release()

    async def _complete(self, batch: Batch, outbox: Outbox, state: Iterable[View]) -> bool:
        place = (self.prefix + batch.topic, batch.partition)
        if not self.fence.allows(batch.tenure, place):
            return False
        if outbox.messages:
            await self.publish(outbox)
        for view in state:
            if not (view.table and await view.table.store(view)):
                return False
        if not self.fence.allows(batch.tenure, place):
            return False
        self.consumer.finish(batch, place[0])
        self.progress.completed(place[0], len(batch))
        return True

    def lags(self) -> dict[tuple[str, int], int | None]:
        """Return offsets behind for every partition that this worker reads."""
        if not self.fence.ready:
            return {}
        return {tuple(tp): self.consumer.lag(tp) for tp in self.consumer.in_tenure()}

    async def start(self) -> None:
        """Start all of it. Kafka may be away, or go away at any step: then the process ends."""
        try:
            await super().start()
        except KafkaConnectionError:
            die(f"no Kafka broker answers at {self.brokers}")

    async def on_first_start(self) -> None:
        """Check the topics and connect, before anything else starts.

        Faust would make directories here: what the lane keeps on disk, it makes itself.
        """
        try:
            await check_topics(self.brokers, self.widths)
            await self.keeper.prepare()
        except (TopicsError, StoresError) as error:
            die(str(error), code=EXIT_CONFIG)
        await self.publisher.start()
        sys.setswitchinterval(TURN)
        self._watcher = asyncio.create_task(self._watch())

    async def on_stop(self) -> None:
        """Stop what `on_first_start` and the first tenure began, the watchdog first."""
        if self._watcher is not None:
            self._watcher.cancel()
        if self._consumer is not None and not self.keeps_place:
            self._consumer.leave()
        await super().on_stop()
        for follower in self._followers:
            await follower.stop()
        await self.publisher.stop()
        self.fence.end()
        await self.keeper.close()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            self.fence.beat()
            self.progress.sample()
            if self._consumer is not None and self._consumer.adrift():
                die("nobody looks after the place in the group any more")
            place = self.progress.stuck(self.lags(), self.consumer.position_done, self.patience)
            if place is not None:
                die(f"{place[0]}/{place[1]} has not moved for {self.patience:.0f} s")

    async def _take_over(self, *_: Any, **__: Any) -> None:
        """Recover what this tenure owns, then open the gate. Runs before streams resume."""
        tenure = -1
        try:
            async with self._taking_over:
                while tenure != self.fence.tenure:
                    tenure = self.fence.tenure
                    await self._follow()
                    await self.keeper.recover(tenure)
                await self.consumer.rewind()
                await self.keeper.stand_by(self.assignor.assigned_standbys())
        except Exception as error:
            if tenure == self.fence.tenure:
                die("cannot recover", error)

    async def _follow(self) -> None:
        if not self._following:
            self._following = True
            await asyncio.gather(*(follower.start() for follower in self._followers))

    def _new_transport(self) -> Any:
        return BatchTransport(self.conf.broker_consumer, self)
