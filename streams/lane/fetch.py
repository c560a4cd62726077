"""Records as the fetcher has them, made the lane's own at once: one object a record, not two.

Checksums, aborted transactions, control records and positions stay aiokafka's; what
is private of it is held by `tests/contract/test_lane_seams.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import ConsumerStoppedError
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from streams.lane.batch import Record

# One fetch is out at a time, and a partition of which something waits here is not in it. So
# whoever has no room yet may hold up the others' next fetch for this long (aiokafka's: 100 ms)...
HELD_UP = 0.01  # seconds
# ...and what comes for it meanwhile waits for that fetch, without other arrivals this long.
LONGEST = 100  # ms that a broker keeps a fetch open when nothing comes (Faust's: 1500)

Found = dict[Any, list[Record]]  # by aiokafka's TopicPartition


class FetchThread(AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust's consumer thread: it fetches, and keeps the group's heartbeat."""

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
        found: Found = await self.call_thread(self._take, self._ensure_consumer(), room, timeout)
        return found

    async def _take(self, consumer: Any, room: Mapping[Any, int], timeout: float) -> Found:
        if not self.consumer.flow_active:
            return {}  # a rebalance has begun since the call
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
    found: Found = {}
    for place, result in list(fetcher._records.items()):
        if place not in room:
            continue
        if type(result) is not FetchResult:
            if found:
                break  # it is an error: told at the next call, so that nothing taken is lost
        elif result.has_more():
            result._partition_records._consumer_record = _record
        found |= await fetcher.fetched_records([place], timeout=0, max_records=room[place])
    return found


def _record(_place: Any, raw: Any) -> Record:
    return Record(raw.offset, raw.key, raw.value, tuple(raw.headers), raw.timestamp)
