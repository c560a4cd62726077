"""Records as the fetcher has them, made the lane's own at once: one object a record, not two.

Checksums, aborted transactions, control records and positions stay aiokafka's; what
is private of it is held by `tests/contract/test_lane_seams.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import ConsumerStoppedError
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from streams.lane.batch import Record

Found = dict[Any, list[Record]]  # by aiokafka's TopicPartition


class FetchThread(AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust's consumer thread: it fetches, and keeps the group's heartbeat."""

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: Collection[Any],
        timeout: float = 0.0,
        max_records: int | None = None,
    ) -> Found:
        """Return what has come, up to `max_records`; when nothing has, wait up to `timeout` s."""
        if not self.consumer.flow_active:
            return {}
        fetcher = consumer._fetcher
        if consumer._closed or fetcher._closed:
            raise ConsumerStoppedError()
        with fetcher._subscriptions.fetch_context():
            found = await fetched(fetcher, active_partitions, max_records)
            if not found and timeout:
                arrival = fetcher._create_fetch_waiter()
                done, _ = await asyncio.wait([arrival], timeout=timeout)
                if not done:
                    arrival.cancel()
                    return {}
                arrival.result()  # raises what keeps the group from being read
                found = await fetched(fetcher, active_partitions, max_records)
            return found


async def fetched(fetcher: Any, places: Collection[Any], limit: int | None) -> Found:
    """Return the records of some partitions that a fetcher holds, in order, as `Record`s."""
    for result in fetcher._records.values():
        if type(result) is FetchResult and result.has_more():
            result._partition_records._consumer_record = _record
    found: Found = await fetcher.fetched_records(places, timeout=0, max_records=limit)
    return found


def _record(_place: Any, raw: Any) -> Record:
    return Record(raw.offset, raw.key, raw.value, tuple(raw.headers), raw.timestamp)
