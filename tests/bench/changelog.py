"""What is on a changelog in the end, whoever wrote it: that all did the same is seen here."""

import asyncio
import hashlib
from collections.abc import Iterable

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from infra.settings import Settings
from infra.verify.differing import written
from models.customer import decode


class Count(msgspec.Struct):
    """A key's state, as far as it is looked at."""

    n: int


def counted(settings: Settings, topic: str) -> int:
    """Return the sum of each key's newest `n`."""
    read = msgspec.json.Decoder(Count).decode
    return sum(read(value).n for value in newest(settings, topic))


def profiles_digest(values: Iterable[bytes]) -> str:
    """Return a digest of the customers' profiles: the part of a record that no order changes.

    The same log gives the same one, whoever folded it; scores depend on when models were learnt.
    """
    customers = (decode(value) for value in values)
    lines = sorted(one.customer_id.encode() + written(one.profile) for one in customers)
    return hashlib.blake2b(b"\n".join(lines), digest_size=6).hexdigest()


def newest(settings: Settings, topic: str) -> list[bytes]:
    """Return each key's newest value."""
    found = asyncio.run(_newest(settings.brokers, topic, settings.partitions))
    return [value for value in found.values() if value is not None]


async def _newest(brokers: str, topic: str, partitions: int) -> dict[bytes, bytes | None]:
    reader = AIOKafkaConsumer(bootstrap_servers=brokers, enable_auto_commit=False)
    await reader.start()
    try:
        spots = [TopicPartition(topic, number) for number in range(partitions)]
        reader.assign(spots)
        await reader.seek_to_beginning(*spots)
        ends = await reader.end_offsets(spots)
        found: dict[bytes, bytes | None] = {}
        while any([await reader.position(spot) < ends[spot] for spot in spots]):
            for records in (await reader.getmany(timeout_ms=200)).values():
                found.update((record.key, record.value) for record in records)
        return found
    finally:
        await reader.stop()
