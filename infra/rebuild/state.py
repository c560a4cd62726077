"""State as its changelog has it, written by a new owner: what an older one wrote would win else."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing

from kafka import KafkaProducer

from infra.settings import Settings
from infra.verify.log import Reading
from models.topics import Topic
from streams.lane.restore import MARK, Copy, mark
from streams.record_batch import WHOLE_BYTES

SECONDS = 60.0
# Nothing leaves before it is flushed, then all of it at once.
_WHOLE = {"batch_size": WHOLE_BYTES, "max_request_size": 2 * WHOLE_BYTES, "linger_ms": 50_000}


async def follow(settings: Settings, topic: Topic, partition: int, copy: Copy) -> None:
    """Bring a copy level with a changelog as it ends now."""
    async with Reading(settings, topic, partition) as reading:
        reading.seek(max(reading.begin, copy.store.stamp.position))
        async for records in reading.upto(await reading.end()):
            copy.take(records, reading.position)


def write(
    settings: Settings,
    topic: Topic,
    partition: int,
    changes: Mapping[bytes, bytes | None],
    newest: int,
    offset: int = -1,
) -> None:
    """Write changes as the partition's newest owner, after that of epoch `newest`.

    `offset`: of the source, up to which the state goes then. Raises KafkaError.
    """
    epoch = max(time.time_ns() // 1_000_000, newest + 1)
    append(settings, topic, partition, changes.items(), [(MARK, mark(epoch, offset))])


def append(
    settings: Settings,
    topic: Topic,
    partition: int,
    messages: Iterable[tuple[bytes, bytes | None]],
    headers: Sequence[tuple[str, bytes]] = (),
) -> None:
    """Write messages in order; return when all in-sync replicas have them. Raises KafkaError.

    Where a topic's changes must be there together or not at all, they are one record batch.
    """
    with closing(
        KafkaProducer(
            bootstrap_servers=settings.brokers.split(","),
            acks="all",
            enable_idempotence=True,
            **(_WHOLE if topic.whole else {}),
        )
    ) as producer:
        name, own = settings.topic(topic), list(headers)
        sent = [
            producer.send(name, key=key, value=value, headers=own, partition=partition)
            for key, value in messages
        ]
        producer.flush(timeout=SECONDS)
        for result in sent:
            result.get(timeout=10)
