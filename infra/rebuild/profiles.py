"""Profiles folded anew beside the live ones; those that differ take their place.

What was predicted and decided stays as it was: that is history, not state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from infra.errors import UserError
from infra.group import worker_group
from infra.rebuild.state import follow, write
from infra.rebuild.workers import Say, stopped
from infra.settings import Settings
from infra.verify.differing import differing
from infra.verify.folding import Folding
from infra.verify.log import Reading
from infra.verify.offsets import extents
from infra.verify.profiles import Compared, compare
from infra.verify.report import Check
from infra.verify.work import Job, Progress, run
from models.catalogue import parse
from models.customer import JUDGED, Customer, decode, encode
from models.judge import Judge
from models.judgement import wakes
from models.topics import EVENTS, PROFILES
from streams.lane.restore import Copy
from streams.lane.store import MemoryStore

_KEPT = JUDGED - {"timers"}  # history
MOST_BEHIND = 1_000_000  # records: what is not folded yet of those who differ is kept in memory


class Rebuilt(NamedTuple):
    """What folding anew found, and how many customers were written."""

    checks: list[Check]
    compared: list[Compared]
    written: int = 0


def fold_anew(settings: Settings, processes: int | None, progress: Progress) -> Rebuilt:
    """Fold the whole log beside the live system, and compare. Nothing is written."""
    both = extents(settings, (EVENTS, PROFILES), worker_group(settings))
    jobs = []
    for (topic, number), events in both.items():
        if topic == EVENTS:
            if events.end - events.committed > MOST_BEHIND:
                raise UserError(
                    f"the fold is {events.end - events.committed:,} records behind",
                    "wait until the workers have caught up: `c360 status`",
                )
            size = events.size + both[PROFILES, number].size
            jobs.append(Job(compare, (settings, number, events.committed), size))
    compared = run(jobs, processes, progress)
    return Rebuilt([one.check for one in compared], compared)


def swap(settings: Settings, rebuilt: Rebuilt, say: Say) -> Rebuilt:
    """Put what the log gives in place of what differs; the workers rest meanwhile.

    Raises UserError when what was written is not what is read back, or workers go on.
    """
    if not any(one.suspects for one in rebuilt.compared):
        return rebuilt
    judge = Judge.untrained(
        parse(settings.offers_text()), settings.horizon_days, settings.contract_horizon_days
    )
    with stopped(settings, say):
        written = 0
        for number, compared in enumerate(rebuilt.compared):
            if compared.suspects:
                written += asyncio.run(_mend(settings, number, compared, judge))
    return rebuilt._replace(written=written)


async def _mend(settings: Settings, partition: int, compared: Compared, judge: Judge) -> int:
    """Fold the rest of one partition's log for those who differ, and write who still does."""
    folding = await _folded(settings, partition, compared)
    live = {
        id.encode(): suspect.live
        for id, suspect in compared.suspects.items()
        if suspect.live is not None
    }
    copy = Copy(MemoryStore(live, compared.stamp))
    await follow(settings, PROFILES, partition, copy)
    changes = dict(_changes(compared.suspects, folding, copy, judge))
    write(settings, PROFILES, partition, changes, copy.store.stamp.epoch)
    await follow(settings, PROFILES, partition, copy)
    if any(copy.store.contents.get(key) != value for key, value in changes.items()):
        raise UserError(
            f"what was written to {PROFILES.name}/{partition} is not what is there",
            "is a worker running? Stop it, and do it again",
        )
    return len(changes)


async def _folded(settings: Settings, partition: int, compared: Compared) -> Folding:
    folding = Folding(partition)
    for id, suspect in compared.suspects.items():
        if suspect.folded is not None:
            folding.put(id, suspect.folded)
        for offset, value in suspect.beyond:
            folding.take(offset, value)
    async with Reading(settings, EVENTS, partition) as log:
        log.seek(compared.log)
        async for records in log.upto(await log.end()):
            for record in records:
                if record.key is not None and record.key.decode() in compared.suspects:
                    folding.take(record.offset, record.value)
    return folding


def _changes(
    ids: Iterable[str], folding: Folding, copy: Copy, judge: Judge
) -> Iterable[tuple[bytes, bytes | None]]:
    """Yield the record of each customer who is another than the log gives."""
    for id in ids:
        value = copy.store.contents.get(id.encode())
        folded, live = folding.get(id), None if value is None else decode(value)
        if differing(folded, live):
            yield id.encode(), None if folded is None else encode(mended(live, folded, judge))


def mended(live: Customer | None, folded: Customer, judge: Judge) -> Customer:
    """Return what the log gives, with what was judged of the live one."""
    if live is None:
        customer = folded
    else:
        customer = replace(folded, version=max(live.version, folded.version) + 1)
        # Who points has been judged as somebody else; what he holds for that one stays his.
        if folded.merged_into is None or live.merged_into is not None:
            customer = replace(customer, **{name: getattr(live, name) for name in _KEPT})
    if customer.merged_into is not None or customer.regroup is not None:
        return customer
    return replace(customer, timers=wakes(customer, judge))
