"""Faust's assignor with shares of our own: Faust moves more than an even share takes.

What members tell each other is Faust's: what each has, as its record of an assignment.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from faust.assignor.client_assignment import ClientAssignment
from faust.assignor.partition_assignor import PartitionAssignor
from faust.types.app import AppT

from streams.lane.share import share, share_copies


class Sticky(PartitionAssignor):  # type: ignore[misc]
    """Shares topics of equal width alike: a customer's partition has one owner in all of them.

    A broker that has just started may know no topic yet. A leader who believed it would take
    everything from everybody until the metadata are asked for again, minutes later. So a
    topic is as wide as it ever was seen, and one never seen is an error.
    """

    def __init__(self, app: AppT, replicas: int = 0) -> None:
        super().__init__(app, replicas)
        self._widths: dict[str, int] = {}  # partitions are added to a topic, never taken away

    def _width(self, cluster: Any, topic: str) -> int:
        width = max(len(cluster.partitions_for_topic(topic) or ()), self._widths.get(topic, 0))
        if not width:
            raise LookupError(f"the broker does not know the topic {topic} yet: nothing is shared")
        self._widths[topic] = width
        return width

    def _perform_assignment(self, cluster: Any, member_metadata: Any) -> Any:
        told = {member: self._get_client_metadata(one) for member, one in member_metadata.items()}
        self._update_member_urls(told)
        topics = {topic for one in member_metadata.values() for topic in one.subscription}
        alike: dict[int, list[str]] = defaultdict(list)
        for topic in sorted(topics):
            alike[self._width(cluster, topic)].append(topic)
        assignments = {member: ClientAssignment(actives={}, standbys={}) for member in told}
        burden: Counter[str] = Counter()
        for width, group in sorted(alike.items(), reverse=True):
            held = {member: _numbers(one.assignment.actives, group) for member, one in told.items()}
            kept = {
                member: _numbers(one.assignment.standbys, group) for member, one in told.items()
            }
            owned = share(width, held, kept, burden)
            before = {member: held[member] | kept[member] for member in told}
            copies = share_copies(owned, before, self.replicas)
            for member, assignment in assignments.items():
                burden[member] += len(owned[member]) * len(group)
                for topic in group:
                    assignment.actives[topic] = sorted(owned[member])
                    assignment.standbys[topic] = sorted(copies[member])
        return self._protocol_assignments(
            assignments,
            self._get_changelog_distribution(assignments),
            self._get_external_topic_distribution(assignments),
            {topic: number for number, group in enumerate(alike.values()) for topic in group},
        )


def _numbers(had: Any, topics: list[str]) -> set[int]:
    """Return the partitions that a member has of these topics, which go together."""
    return {number for topic in topics for number in had.get(topic, ())}
