"""A partition of `profiles` against the fold of its partition of `events`.

A customer says up to which offset he was folded, so the log is folded to just there and
the two are compared as of the same moment, whatever goes on meanwhile.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from msgspec import Struct

from infra.settings import Settings
from infra.verify.differing import differing, digest
from infra.verify.folding import Folding, Spot
from infra.verify.log import Reading
from infra.verify.report import Check
from infra.verify.work import Tell
from models.customer import decode, encode
from models.topics import EVENTS, PROFILES
from streams.lane.restore import Copy
from streams.lane.store import MemoryStore, Stamp


class _At(Struct):
    """The one field of a customer's record that is needed before the others."""

    offset: int = -1


_offset_of = msgspec.json.Decoder(_At).decode


async def read_profiles(settings: Settings, partition: int, copy: Copy, tell: Tell) -> None:
    """Bring a copy level with `profiles` as a worker would that starts now."""
    async with Reading(settings, PROFILES, partition) as reading:
        end = await reading.end()
        reading.seek(max(reading.begin, copy.store.stamp.position))
        async for records in reading.upto(end):
            copy.take(records, reading.position)
            tell(len(records))


class Suspect(NamedTuple):
    """A customer who is not what the log gives; `beyond`: what is not folded yet."""

    folded: bytes | None
    live: bytes | None
    beyond: list[Spot]


class Compared(NamedTuple):
    """One partition compared: what was found, and all that writing it right goes on from."""

    check: Check
    suspects: dict[str, Suspect]
    log: int  # offset of `events` up to which it was read
    stamp: Stamp  # of `profiles`


async def check(settings: Settings, partition: int, committed: int, tell: Tell) -> Check:
    """Compare one partition. `committed`: the offset of `events` before which all was folded."""
    return (await compare(settings, partition, committed, tell)).check


async def compare(settings: Settings, partition: int, committed: int, tell: Tell) -> Compared:
    """Compare one partition, and keep those who differ."""
    copy = Copy(MemoryStore())
    await read_profiles(settings, partition, copy, tell)
    live = {key.decode(): value for key, value in copy.store.contents.items()}
    until = {id: _offset_of(value).offset for id, value in live.items()}
    folding = Folding(partition, until, committed)
    async with Reading(settings, EVENTS, partition) as log:
        end = await log.end()  # all that the profiles have seen is before it
        async for records in log.upto(end):
            for record in records:
                folding.take(record.offset, record.value)
            tell(len(records))
    found = Check(part="profiles", where=f"{PROFILES.name}/{partition}", until=end)
    if log.begin > 0:
        found.notes.append(f"the log begins at offset {log.begin}: what was before is out of reach")
    suspects = {}
    for id in sorted(folding.ids() | live.keys() | folding.missed.keys()):
        if _is_suspect(found, folding, id, live.get(id)):
            ours = folding.get(id)
            folded = None if ours is None else encode(ours)
            suspects[id] = Suspect(folded, live.get(id), folding.beyond.get(id, []))
    return Compared(found, suspects, end, copy.store.stamp)


def _is_suspect(found: Check, folding: Folding, id: str, value: bytes | None) -> bool:
    """Compare one customer, and say whether he is another than the log gives."""
    ours, theirs = folding.get(id), None if value is None else decode(value)
    if theirs is not None and (theirs.regroup is not None or id in folding.beyond):
        found.in_flux += 1
    mine = None if ours is None else digest(ours)
    other = None if theirs is None else digest(theirs)
    for side, hashed in ((found.expected, mine), (found.found, other)):
        if hashed is not None:
            side.add(hashed)
    how = [] if mine == other else differing(ours, theirs)
    if id in folding.missed:
        how.append(f"not applied: the event at offset {folding.missed[id]}")
    if how:
        found.differs(id, how)
    return bool(how)
