"""Verify all of it, or some parts: what is read, by whom, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from infra.group import worker_group
from infra.settings import Settings
from infra.verify import identity, profiles, tables
from infra.verify.offsets import extents
from infra.verify.report import Check
from infra.verify.work import Job, Progress, run
from models import topics
from projections.project import group as project_group
from projections.tables import SOURCES

Say = Callable[[str], Progress]  # what is being done -> where to tell how far it is


def verify(
    settings: Settings, parts: Collection[str], processes: int | None, say: Say
) -> list[Check]:
    """Return what was found of each part, in the order of PARTS.

    Raises UserError without a broker, KafkaError, and ClickHouse's errors.
    """
    found: list[Check] = []
    for part, check in PARTS.items():
        if part in parts:
            found += check(settings, processes, say(part))
    return found


def _profiles(settings: Settings, processes: int | None, progress: Progress) -> list[Check]:
    both = extents(settings, (topics.EVENTS, topics.PROFILES), worker_group(settings))
    jobs = [
        Job(
            profiles.check,
            (settings, number, events.committed),
            events.size + both[topics.PROFILES, number].size,
        )
        for (topic, number), events in both.items()
        if topic is topics.EVENTS
    ]
    return run(jobs, processes, progress)


def _identity(settings: Settings, processes: int | None, progress: Progress) -> list[Check]:
    read = (topics.EVENTS, topics.PROFILES, topics.IDENTITY_LINKS, topics.IDENTITIES)
    known = extents(settings, read, worker_group(settings))
    events = {number: one for (topic, number), one in known.items() if topic is topics.EVENTS}
    jobs = [
        Job(identity.look, (settings, number, one), one.size + known[topics.PROFILES, number].size)
        for number, one in events.items()
    ]
    seen = dict(zip(events, run(jobs, processes, progress), strict=True))
    links = known[topics.IDENTITY_LINKS, 0]
    size = links.size + known[topics.IDENTITIES, 0].size
    return run([Job(identity.check, (settings, links, seen), size)], 1, progress)


def _clickhouse(settings: Settings, processes: int | None, progress: Progress) -> list[Check]:
    sources = tuple(dict.fromkeys(SOURCES.values()))
    known = extents(settings, sources, project_group(settings))
    snapshots = tables.look(settings, known)
    aside = tables.set_aside(settings)
    jobs = [
        Job(
            tables.check,
            (
                *(settings, topic, number, extent),
                {table.name: snapshots[table.name, number] for table in tables.fed_by(topic)},
                aside.get((topic.name, number), frozenset()),
            ),
            max(0, extent.committed - extent.begin),
        )
        for (topic, number), extent in known.items()
    ]
    return [check for checks in run(jobs, processes, progress) for check in checks]


PARTS: Final[dict[str, Callable[[Settings, int | None, Progress], list[Check]]]] = {
    "profiles": _profiles,
    "identity": _identity,
    "clickhouse": _clickhouse,
}
