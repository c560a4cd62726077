"""The workers as the brokers know them: who is in the group, with which partitions, how far.

Asked of the brokers, not of the workers: one that hangs still shows, and so does one
on another machine.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple

from kafka.admin import KafkaAdminClient, MemberToRemove, OffsetSpec
from kafka.errors import CoordinatorNotAvailableError, KafkaError

from infra.admin import REQUEST_MS, client, unreachable
from infra.errors import UserError
from infra.settings import Settings

# Faust's members say of themselves what kafka-python cannot read, and it warns in many lines.
logging.getLogger("kafka.admin._groups").setLevel(logging.ERROR)

SOON_MS = 2_000

Place = tuple[str, int]  # full topic name, partition


class Member(NamedTuple):
    """One member of a group. `lag` counts the records that its partitions are behind."""

    instance: str  # its C360_INSTANCE
    host: str
    places: list[Place]
    lag: int | None  # None: it has nothing, or nothing of it was ever committed


def worker_group(settings: Settings) -> str:
    """Return the name of the workers' group."""
    return f"{settings.topic_prefix}worker"


def members(settings: Settings, group: str, request_ms: int = REQUEST_MS) -> list[Member]:
    """Return a group's members by name. Raises UserError when no broker answers."""
    try:
        with client(settings, request_ms) as admin:
            described = admin.describe_groups([group])[group]["members"]
            lags = _lags(admin, group) if described else {}
    except CoordinatorNotAvailableError:
        return []  # a new broker, on which no group has been yet
    except KafkaError as error:
        raise unreachable(settings, error) from error
    return sorted(_member(one, lags) for one in described)


def leave(settings: Settings, group: str, instance: str) -> None:
    """Leave a group in the name of a member that was killed: else it keeps its place for a session.

    Does nothing when it is no member, or no broker answers soon: then its session ends it.
    """
    with suppress(KafkaError, UserError), client(settings, SOON_MS) as admin:
        admin.remove_group_members(group, [MemberToRemove(group_instance_id=instance)])


def _member(described: Mapping[str, object], lags: Mapping[Place, int]) -> Member:
    places = sorted(_places(described["member_assignment"]))
    behind = [lags[place] for place in places if place in lags]
    return Member(
        str(described["group_instance_id"] or described["member_id"]),
        str(described["client_host"]).lstrip("/"),
        places,
        sum(behind) if behind else None,
    )


def _places(assignment: object) -> Iterable[Place]:
    """Yield what an assignment names; it is empty while the group has not settled."""
    topics = assignment["assigned_partitions"] if isinstance(assignment, Mapping) else ()
    for one in topics:
        for number in one["partitions"]:
            yield one["topic"], number


def _lags(admin: KafkaAdminClient, group: str) -> dict[Place, int]:
    committed = admin.list_group_offsets({group: None})[group]
    known = {place: at.offset for place, at in committed.items() if at.offset >= 0}
    ends = admin.list_partition_offsets(dict.fromkeys(known, OffsetSpec.LATEST)) if known else {}
    return {
        (place.topic, place.partition): max(0, ends[place].offset - offset)
        for place, offset in known.items()
    }
