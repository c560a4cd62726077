"""What a changelog of counts adds up to, whoever wrote it."""

import asyncio

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from infra.settings import Settings


class Count(msgspec.Struct):
    """A key's state, as far as it is looked at."""

    n: int


def counted(settings: Settings, topic: str) -> int:
    """Return the sum of each key's newest `n`."""
    newest = asyncio.run(_newest(settings.brokers, topic, settings.partitions))
    read = msgspec.json.Decoder(Count).decode
    return sum(read(value).n for value in newest.values() if value is not None)


async def _newest(brokers: str, topic: str, partitions: int) -> dict[bytes, bytes | None]:
    reader = AIOKafkaConsumer(bootstrap_servers=brokers, enable_auto_commit=False)
    await reader.start()
    try:
        spots = [TopicPartition(topic, number) for number in range(partitions)]
        reader.assign(spots)
        await reader.seek_to_beginning(*spots)
        ends = await reader.end_offsets(spots)
        newest: dict[bytes, bytes | None] = {}
        while any([await reader.position(spot) < ends[spot] for spot in spots]):
            for records in (await reader.getmany(timeout_ms=200)).values():
                newest.update((record.key, record.value) for record in records)
        return newest
    finally:
        await reader.stop()
