"""Topics, for tests: all that is on one now as a list, many messages onto it, its settings."""

from collections.abc import Iterable, Iterator
from contextlib import closing

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.structs import TopicPartition

# A topic's settings under which the broker compacts it within seconds.
COMPACTED_SOON = {
    "cleanup.policy": "compact",
    "min.compaction.lag.ms": "0",
    "max.compaction.lag.ms": "1",
    "segment.ms": "1000",
    "min.cleanable.dirty.ratio": "0.01",
    "delete.retention.ms": "0",
}


def each(brokers: str, topic: str) -> Iterator:
    """Yield every record that `topic` holds at this moment, a partition's in order of offset."""
    # In pure Python checksums cost more than all the rest, and loopback has its own.
    with closing(
        KafkaConsumer(bootstrap_servers=brokers, isolation_level="read_committed", check_crcs=False)
    ) as consumer:
        partitions = [
            TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()
        ]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        while any(consumer.position(at) < ends[at] for at in partitions):
            for records in consumer.poll(timeout_ms=500).values():
                yield from records


def read_all(brokers: str, topic: str) -> list:
    """Return every record that `topic` holds at this moment, by partition, then offset."""
    return sorted(each(brokers, topic), key=lambda record: (record.partition, record.offset))


def newest(brokers: str, topic: str) -> dict[bytes, bytes]:
    """Return a compacted topic as its reader sees it: each key's last value."""
    state = {record.key: record.value for record in each(brokers, topic)}
    return {key: value for key, value in state.items() if value is not None}


def send(brokers: str, topic: str, messages: Iterable[tuple]) -> None:
    """Send (key, value) or (key, value, headers), and return when the broker has them all."""
    with closing(KafkaProducer(bootstrap_servers=brokers, acks="all")) as producer:
        sent = [
            producer.send(topic, key=key, value=value, headers=list(*headers))
            for key, value, *headers in messages
        ]
        producer.flush()
        for one in sent:
            one.get(timeout=10)


def configure(brokers: str, topic: str, settings: dict[str, str]) -> None:
    """Change a topic's settings."""
    with closing(KafkaAdminClient(bootstrap_servers=brokers)) as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs=settings)])
