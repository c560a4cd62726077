"""Events for the counting worker, and what it made of them."""

import asyncio
import json
from collections import Counter

import httpx
from aiokafka import AIOKafkaProducer
from kafka import KafkaAdminClient

from models.placing import java_hash
from models.topics import EVENTS, PROFILES
from tests.support.changelog import recovered
from tests.support.waiting import until

WORKER = "tests.support.counting_worker"


def counted(settings):
    """Return {key: n} as the changelog's next owner would recover it."""
    topic = settings.topic(PROFILES)
    found = recovered(settings.brokers, topic, range(settings.partitions))
    counts = Counter()
    for partition, copy in found.items():
        for key, value in copy.store.contents.items():
            assert key == b"nobody" or java_hash(key) % settings.partitions == partition
            counts[key] = json.loads(value)["n"]
    return counts


def committed(settings, group="counting"):
    admin = KafkaAdminClient(bootstrap_servers=settings.brokers)
    try:
        found = admin.list_group_offsets({settings.topic_prefix + group: None})
        found = found.get(settings.topic_prefix + group, found)
        return {place.partition: at.offset for place, at in found.items()}
    finally:
        admin.close()


async def produce(settings, messages, codec=None):
    """Send (key, value) to the events; values may be null, keys too (then to partition 0)."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.brokers,
        compression_type=codec,
        linger_ms=10,
        request_timeout_ms=240_000,  # so long may a flood wait for a broker on a busy machine
    )
    await producer.start()
    try:
        sent = [
            await producer.send(
                settings.topic(EVENTS),
                value,
                key=key,
                partition=0 if key is None else None,
                headers=[("id", f"{codec}-{number}".encode())],
            )
            for number, (key, value) in enumerate(messages)
        ]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


def events(count, keys=20, start=0):
    return [
        (b"key-%d" % (number % keys), b'{"value":%d}' % number)
        for number in range(start, start + count)
    ]


def status(settings):
    try:
        return httpx.get(f"http://127.0.0.1:{settings.worker_port}/status", timeout=2).json()
    except httpx.HTTPError:
        return {}


def until_counted(settings, total, part, seconds=120):
    def reached():
        assert part.process.poll() is None, part.tail()
        found = counted(settings)
        return found if found.total() >= total else None

    return until(reached, seconds, f"{total} counted\n{part.tail()}")
