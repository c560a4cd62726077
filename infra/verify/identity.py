"""Who is one customer: links folded anew, against the resolver's state, the pointers and the log.

Three things must agree: the groups that `identity-links` gives, the resolver's `identities`, and
whom each live customer's pointers lead to. And what an event shows must be among the links.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, cast

import msgspec
from msgspec import Struct, field

from infra.settings import Settings
from infra.verify.forest import Forest
from infra.verify.log import Reading
from infra.verify.offsets import Extent
from infra.verify.profiles import read_profiles
from infra.verify.report import Check
from infra.verify.work import Tell
from models.events import Touchpoint, decode_event
from models.identity_rules import Rules
from models.links import APPLIED, links_of
from models.topics import EVENTS, IDENTITIES, IDENTITY_LINKS, TOUCHPOINTS
from streams.lane.restore import Copy
from streams.lane.store import MemoryStore

_TELLING = frozenset(("customer_merged", "customer_regrouped"))


class _Pointer(Struct):
    """The fields of a customer's record that say who he is."""

    merged_into: str | None = None


class _Applied(Struct):
    """How far the resolver's state goes."""

    applied: int = -1


_applied_of = msgspec.json.Decoder(_Applied).decode
_pointer_of = msgspec.json.Decoder(_Pointer).decode


class Seen(Struct):
    """What one partition of `events` and `profiles` says of who is who."""

    pointers: dict[str, str | None] = field(default_factory=dict)  # customer -> into whom
    links: dict[int, int] = field(default_factory=dict)  # a shown link, hashed -> offset
    untold: set[str] = field(default_factory=set)  # told their place by what is not folded yet


async def look(settings: Settings, partition: int, events: Extent, tell: Tell) -> Seen:
    """Read one partition of `profiles`, then of `events` as far as it is there now."""
    rules = settings.identity_rules()
    copy = Copy(MemoryStore())
    await read_profiles(settings, partition, copy, tell)
    seen = Seen(
        {key.decode(): _pointer_of(v).merged_into for key, v in copy.store.contents.items()}
    )
    async with Reading(settings, EVENTS, partition) as log:
        async for records in log.upto(await log.end()):
            tell(len(records))
            for record in records:
                _note(seen, record, events, rules)
    return seen


def _note(seen: Seen, record: Any, events: Extent, rules: Rules) -> None:
    try:
        event = decode_event(record.value or b"")
    except ValueError:
        return
    if record.offset >= events.committed:  # its links may not be there yet, its place not taken
        if event.type in _TELLING:
            seen.untold.add(event.customer_id)
    elif event.origin.startswith(TOUCHPOINTS.name):
        for link in links_of(cast(Touchpoint, event), None, rules):
            seen.links.setdefault(hashed(link.link_id), record.offset)


def hashed(link_id: str) -> int:
    """Return a link's id as a number."""
    return int.from_bytes(blake2b(link_id.encode(), digest_size=8).digest(), "big")


async def check(
    settings: Settings, links: Extent, partitions: Mapping[int, Seen], tell: Tell
) -> Check:
    """Compare groups, the resolver's state, pointers and links. `links`: of `identity-links`."""
    found = Check(part="identity", where=IDENTITIES.name, until=links.committed)
    copy = Copy(MemoryStore())
    async with Reading(settings, IDENTITIES, 0) as state:
        async for records in state.upto(await state.end()):
            copy.take(records, state.position)
            tell(len(records))
    live = {key.decode(): value for key, value in copy.store.contents.items()}
    applied = _applied_of(live.pop(APPLIED, b"{}")).applied
    found.until = max(links.committed, applied + 1)
    forest, known = Forest(settings.identity_rules()), set[int]()
    async with Reading(settings, IDENTITY_LINKS, 0) as log:
        for end in (links.committed, found.until, await log.end()):
            before = forest.copy()  # at last: as far as the resolver had come
            async for records in log.upto(end):
                tell(len(records))
                for record in records:
                    link_id = forest.take(record.offset, record.value)
                    if link_id:
                        known.add(hashed(link_id))
            if end == links.committed:
                forest.changed.clear()  # what follows was perhaps told after `partitions` was read
    _state(found, before, forest, live)
    compare_pointers(found, before, forest.changed, partitions)
    _links(found, known, partitions)
    return found


def _state(found: Check, before: Forest, after: Forest, live: Mapping[str, bytes]) -> None:
    """Compare what the resolver keeps of each customer."""
    for id in sorted(before.identities.keys() | live.keys()):
        ours, theirs = before.identities.get(id), live.get(id)
        if ours is not None:
            found.expected.add(hashed(before.written(id)))
        if theirs is not None:
            found.found.add(hashed(theirs.decode()))
        if before.same(id, theirs):
            continue
        if after.identities.get(id) != ours:
            found.in_flux += 1
        elif ours is None or theirs is None:
            found.differs(id, ["not by the links" if ours is None else "not in the state"])
        else:
            found.differs(id, before.differing(id, theirs))


def compare_pointers(
    found: Check, before: Forest, changed: set[str], partitions: Mapping[int, Seen]
) -> None:
    """Compare whom the live customers' pointers lead to with the groups.

    `changed`: customers whom the links moved since before `partitions` was read.
    """
    pointers = {
        id: into for seen in partitions.values() for id, into in seen.pointers.items() if into
    }
    moving = changed.union(*(seen.untold for seen in partitions.values()))
    for id in sorted(before.identities.keys() | pointers.keys()):
        root, chain = _followed(pointers, id)
        if root == before.root(id):
            continue
        if moving.intersection((*chain, *before.chain(id))):
            found.in_flux += 1
        else:
            found.differs(id, [f"its pointers lead to {root}, its links to {before.root(id)}"])


def _followed(pointers: Mapping[str, str], id: str) -> tuple[str, list[str]]:
    """Return where pointers lead, and all that lie on the way."""
    chain = [id]
    while (into := pointers.get(id)) and into not in chain:
        chain.append(into)
        id = into
    return id, chain


def _links(found: Check, known: set[int], partitions: Mapping[int, Seen]) -> None:
    """Name each event that shows a link which is not on `identity-links`."""
    for number, seen in sorted(partitions.items()):
        for link, offset in seen.links.items():
            if link not in known:
                found.differs(
                    f"{EVENTS.name}/{number}/{offset}", ["its link is not among the links"]
                )
