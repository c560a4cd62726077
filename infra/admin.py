"""The topics as this deployment has them: created when missing, verified when there.

A topic with another partition count is an error, never mended here: keys would move
to other partitions, and with them the order of each customer's events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient, OffsetSpec
from kafka.errors import KafkaError, TopicAlreadyExistsError

from infra.errors import UserError
from infra.settings import PREFIX, Settings
from models.topics import CATALOGUE, COMPACTION_LAG, Topic

MAX_MESSAGE_BYTES = 8 * 1024 * 1024
WHOLE_BYTES = 64 * 1024 * 1024  # a batch's changes as one record batch (streams/record_batch.py)
REQUEST_MS = 10_000


class TopicState(NamedTuple):
    """A topic as it is; `partitions` is 0 when it is missing, `wanted` what it should have."""

    topic: str
    partitions: int
    wanted: int
    messages: int
    key: str
    kept: str

    @property
    def ok(self) -> bool:
        """Whether it is there, with the right number of partitions."""
        return self.partitions == self.wanted


@contextmanager
def client(settings: Settings, request_ms: int = REQUEST_MS) -> Iterator[KafkaAdminClient]:
    """Open an admin client. Raises UserError when no broker answers."""
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=settings.brokers.split(","),
            bootstrap_timeout_ms=request_ms,
            request_timeout_ms=request_ms,
        )
    except (KafkaError, ValueError) as error:
        raise unreachable(settings, error) from error
    try:
        yield admin
    finally:
        admin.close()


def unreachable(settings: Settings, error: Exception) -> UserError:
    """Return the message for brokers that do not answer."""
    return UserError(
        f"Kafka does not answer at {settings.brokers} ({type(error).__name__})",
        f"`c360 up` starts the embedded one; {PREFIX}KAFKA names another",
    )


def partitions(topic: Topic, settings: Settings) -> int:
    """Return how many partitions `topic` has in this deployment."""
    return topic.partitions or settings.partitions


def config(topic: Topic, settings: Settings) -> dict[str, str]:
    """Return the topic's configuration, as Kafka names it."""
    common = {
        "max.message.bytes": str(WHOLE_BYTES if topic.whole else MAX_MESSAGE_BYTES),
        "min.insync.replicas": "2" if settings.replication > 2 else "1",
    }
    if topic.compacted:
        return common | {
            "cleanup.policy": "compact",
            "min.compaction.lag.ms": str(int(COMPACTION_LAG.total_seconds() * 1000)),
            "segment.bytes": str(128 * 1024 * 1024),
        }
    kept = -1 if topic.keep is None else int(topic.keep.total_seconds() * 1000)
    return common | {"cleanup.policy": "delete", "retention.ms": str(kept)}


def create_topics(settings: Settings) -> list[str]:
    """Create each missing topic and return their full names.

    Raises UserError when no broker answers, or a topic is there with another number of
    partitions.
    """
    with client(settings) as admin:
        present = _partition_counts(admin)
        verify(present, settings)
        missing = {
            settings.topic(topic): {
                "num_partitions": partitions(topic, settings),
                "replication_factor": settings.replication,
                "configs": config(topic, settings),
            }
            for topic in CATALOGUE
            if settings.topic(topic) not in present
        }
        if missing:
            _create(admin, missing)
        return list(missing)


def verify(present: dict[str, int], settings: Settings) -> None:
    """Raise UserError naming each topic in `present` whose partition count is wrong."""
    wrong = [
        f"{name} has {present[name]} partitions, not {wanted}"
        for name, wanted in (
            (settings.topic(topic), partitions(topic, settings)) for topic in CATALOGUE
        )
        if present.get(name, wanted) != wanted
    ]
    if wrong:
        raise UserError(
            "; ".join(wrong),
            f"set {PREFIX}PARTITIONS to what the topics have, or use another "
            f"{PREFIX}TOPIC_PREFIX for new ones",
        )


def describe(settings: Settings) -> list[TopicState]:
    """Return how each topic of the catalogue is there. Raises UserError without a broker."""
    with client(settings) as admin:
        present = _partition_counts(admin)
        sizes = _messages(admin, present)
    return [
        TopicState(
            topic=name,
            partitions=present.get(name, 0),
            wanted=partitions(topic, settings),
            messages=sizes.get(name, 0),
            key=topic.key,
            kept=_kept(topic),
        )
        for topic, name in ((topic, settings.topic(topic)) for topic in CATALOGUE)
    ]


def _kept(topic: Topic) -> str:
    if topic.compacted:
        return "newest of each key"
    return "for ever" if topic.keep is None else f"{topic.keep.days} days"


def _messages(admin: KafkaAdminClient, present: dict[str, int]) -> Counter[str]:
    """Count by topic from the first kept offset to the end; compaction leaves gaps in that."""
    spots = [TopicPartition(name, n) for name, count in present.items() for n in range(count)]
    ends = admin.list_partition_offsets(dict.fromkeys(spots, OffsetSpec.LATEST))
    begins = admin.list_partition_offsets(dict.fromkeys(spots, OffsetSpec.EARLIEST))
    sizes: Counter[str] = Counter()
    for spot in spots:
        sizes[spot.topic] += ends[spot].offset - begins[spot].offset
    return sizes


def _create(admin: KafkaAdminClient, missing: dict[str, dict[str, object]]) -> None:
    try:
        admin.create_topics(missing, wait_for_metadata=True)
    except TopicAlreadyExistsError:
        pass  # another process made it between our look and our request
    except KafkaError as error:
        raise UserError(
            f"Kafka refused to create the topics: {error}",
            f"check {PREFIX}REPLICATION against the number of brokers, and the user's rights",
        ) from error


def _partition_counts(admin: KafkaAdminClient) -> dict[str, int]:
    return {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics()}
