"""Kafka's consumer on the worker's own event loop, and records made the lane's own at once.

Faust runs it in a thread, so that heartbeats go on while an agent computes. Here a batch is
short, and a worker that stands still for half a session ends anyway (`Fence`): a thread would
only ask for its turn at each arrival, and hand over at each fetch.

Group and positions stay aiokafka's; what is private of it is held by
`tests/contract/test_lane_seams.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from aiokafka.errors import ConsumerStoppedError
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from streams.lane.batch import Record
from streams.lane.unpack import is_error, taken

# One fetch is out at a time, and a partition of which something waits here is not in it. So
# whoever has no room yet may hold up the others' next fetch for this long (aiokafka's: 100 ms)...
HELD_UP = 0.01  # seconds
# ...and what comes for it meanwhile waits for that fetch, without other arrivals this long.
LONGEST = 100  # ms that a broker keeps a fetch open when nothing comes (Faust's: 1500)

Found = dict[Any, list[Record]]  # by aiokafka's TopicPartition


class SameLoop:
    """In place of the thread of a service of mode's: a task of the loop that it is used from."""

    def __init__(self, service: Any) -> None:
        self._service = service
        self._serving: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._serving = asyncio.get_running_loop().create_task(self._serve())

    async def _serve(self) -> None:
        try:
            await self._service._serve()
        except Exception:  # it has told the application, which ends
            self._service.set_shutdown()

    def stop(self) -> None:
        """Do nothing: whoever stops the service has waited for its end."""


class Fetching(AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust's consumer, without its thread: it fetches, and keeps the group's heartbeat."""

    def __init__(self, consumer: Any, *, loop: asyncio.AbstractEventLoop, beacon: Any) -> None:
        super().__init__(consumer, loop=loop, thread_loop=loop, Worker=SameLoop, beacon=beacon)

    async def _gather_remaining_tasks(self) -> None:
        """Leave the loop's other tasks alone: they are not its own."""

    async def on_start(self) -> None:
        """Connect, and set how long fetches wait."""
        await super().on_start()
        fetcher = self._ensure_consumer()._fetcher
        fetcher._prefetch_backoff = HELD_UP
        fetcher._fetch_max_wait_ms = LONGEST

    async def take(self, room: Mapping[Any, int], timeout: float) -> Found:
        """Return each partition's next records, at most as many as `room` has for it.

        When none has come for any of them, wait for some, up to `timeout` seconds.
        """
        consumer = self._ensure_consumer()
        if not self.consumer.flow_active:
            return {}
        fetcher = consumer._fetcher
        if consumer._closed or fetcher._closed:
            raise ConsumerStoppedError()
        with fetcher._subscriptions.fetch_context():
            found = await fetched(fetcher, room)
            if not found:
                arrival = fetcher._create_fetch_waiter()
                done, _ = await asyncio.wait([arrival], timeout=timeout)
                if not done:
                    arrival.cancel()
                    return {}
                arrival.result()  # raises what keeps the group from being read
                found = await fetched(fetcher, room)
            return found


async def fetched(fetcher: Any, room: Mapping[Any, int]) -> Found:
    """Return what a fetcher holds of some partitions, in order, as `Record`s."""
    assigned = fetcher._subscriptions
    if assigned.reassignment_in_progress:
        await assigned.wait_for_assignment()
    found: Found = {}
    for place, result in list(fetcher._records.items()):
        if place not in room:
            if not assigned.is_assigned(place):
                del fetcher._records[place]
            continue
        if found and is_error(result):
            break  # told at the next call, so that nothing taken is lost
        if records := await taken(fetcher, place, result, room[place]):
            found[place] = [
                Record(raw.offset, raw.key, raw.value, tuple(raw.headers), raw.timestamp)
                for raw in records
            ]
    return found
