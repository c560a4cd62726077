"""One partition read again from its beginning, beside the group: nothing is committed.

Records come as aiokafka parsed them, no object more for each: most are only looked at by key.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.lane.restore import FETCH_BYTES, Place, arrived

PORTION = 2_000  # records at a time: looking at them holds up the event loop for milliseconds


async def history(
    brokers: str, place: Place, end: int
) -> AsyncGenerator[tuple[int, Sequence[Any]], None]:
    """Yield a partition's records before offset `end`, in order, with the offset read up to.

    All of them are on the log already; `place` is named by full topic name. Raises
    KafkaError; closing the iterator disconnects.
    """
    spot = TopicPartition(*place)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=brokers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCH_BYTES,
    )
    await consumer.start()
    try:
        consumer.assign([spot])
        position = (await consumer.beginning_offsets([spot]))[spot]
        consumer.seek(spot, position)
        while position < end:
            records = (await arrived(consumer._fetcher, PORTION)).get(spot, ())
            position = await consumer.position(spot)
            yield position, [record for record in records if record.offset < end]
    finally:
        await consumer.stop()
