"""How far groups have come, and how much there is: asked of the brokers once, at the beginning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kafka import TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import CoordinatorNotAvailableError, KafkaError

from infra.admin import client, partitions, unreachable
from infra.settings import Settings
from models.topics import Topic


class Extent(NamedTuple):
    """A partition of a topic: [begin, end), and the offset before which a group is done."""

    begin: int
    end: int
    committed: int

    @property
    def size(self) -> int:
        """Offsets in it: as many records as it has, or more where it is compacted."""
        return self.end - self.begin


Extents = Mapping[tuple[Topic, int], Extent]


def extents(settings: Settings, topics: Iterable[Topic], group: str) -> Extents:
    """Return every partition of some topics. Raises UserError when no broker answers."""
    spots = {
        TopicPartition(settings.topic(topic), number): (topic, number)
        for topic in topics
        for number in range(partitions(topic, settings))
    }
    try:
        with client(settings) as admin:
            # The group first: what it had done by then is before the ends.
            done = _committed(admin, group)
            begins = admin.list_partition_offsets(dict.fromkeys(spots, OffsetSpec.EARLIEST))
            ends = admin.list_partition_offsets(dict.fromkeys(spots, OffsetSpec.LATEST))
    except KafkaError as error:
        raise unreachable(settings, error) from error
    return {
        at: Extent(begins[spot].offset, ends[spot].offset, done.get(spot, begins[spot].offset))
        for spot, at in spots.items()
    }


def _committed(admin: object, group: str) -> dict[TopicPartition, int]:
    try:
        found = admin.list_group_offsets({group: None})[group]  # type: ignore[attr-defined]
    except CoordinatorNotAvailableError:
        return {}  # a new broker, on which no group has been yet
    return {spot: at.offset for spot, at in found.items() if at.offset >= 0}
