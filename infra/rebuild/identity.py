"""The resolver's state folded anew from `identity-links`, by today's rules.

The state alone is put in place of the live one, and only where the groups are the same. Who
would be grouped otherwise is told so by statements on the log, in order with all links.
"""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple

import msgspec
from msgspec import Struct

from infra.errors import UserError
from infra.group import worker_group
from infra.rebuild.state import append, follow, write
from infra.rebuild.statements import key_of, statements
from infra.rebuild.workers import Say, stopped
from infra.settings import Settings
from infra.verify.forest import Forest
from infra.verify.log import Reading
from infra.verify.offsets import extents
from infra.verify.work import Progress
from models.links import APPLIED, decode_identity, encode
from models.topics import IDENTITIES, IDENTITY_LINKS
from streams.lane.restore import Copy
from streams.lane.store import MemoryStore


class Applied(Struct, frozen=True):
    """How far the resolver's state goes: the newest offset of identity-links that is in it."""

    applied: int = -1


_decode_applied = msgspec.json.Decoder(Applied).decode


class Rebuilt(NamedTuple):
    """The links folded anew as far as the live state goes, beside that."""

    customers: int
    applied: int
    changes: dict[bytes, bytes | None]  # what another state would be made of
    regrouped: dict[str, tuple[str, str]]  # customer -> root by the links, and live
    live: Forest
    wanted: Forest
    written: int = 0


def fold_anew(settings: Settings, progress: Progress) -> Rebuilt:
    """Fold all links by today's rules and compare with the live state. Nothing is written."""
    return asyncio.run(_fold(settings, Copy(MemoryStore()), progress))


async def _fold(settings: Settings, copy: Copy, progress: Progress) -> Rebuilt:
    committed = extents(settings, (IDENTITY_LINKS,), worker_group(settings))[IDENTITY_LINKS, 0]
    await follow(settings, IDENTITIES, 0, copy)
    live = {key.decode(): value for key, value in copy.store.contents.items()}
    applied = _decode_applied(live.pop(APPLIED, b"{}")).applied
    forest = Forest(settings.identity_rules())
    until = max(committed.committed, applied + 1)
    async with Reading(settings, IDENTITY_LINKS, 0) as log:
        async for records in log.upto(until):
            for record in records:
                forest.take(record.offset, record.value)
            progress(log.position, until)
    there = Forest(settings.identity_rules())
    there.identities = {id: decode_identity(value) for id, value in live.items()}
    changes: dict[bytes, bytes | None] = {
        id.encode(): None if (ours := forest.identities.get(id)) is None else encode(ours)
        for id in sorted(forest.identities.keys() | live.keys())
        if not forest.same(id, live.get(id))
    }
    regrouped = grouped_otherwise(forest, there)
    return Rebuilt(len(forest.identities), until - 1, changes, regrouped, there, forest)


def grouped_otherwise(forest: Forest, live: Forest) -> dict[str, tuple[str, str]]:
    """Return each customer whose root by the links is not the live one, with both.

    Where the live state is broken it tells nobody's place: what the customers were told by it
    once, `c360 verify identity` compares.
    """
    lost = {end for node in live.identities.values() for end in (node.parent, node.next)}
    lost -= live.identities.keys()
    found = {}
    for id in sorted((forest.identities.keys() | live.identities.keys()) - lost):
        try:
            roots = forest.root(id), live.root(id)
        except LookupError:
            continue
        if roots[0] != roots[1]:
            found[id] = roots
    return found


def swap(settings: Settings, rebuilt: Rebuilt, say: Say) -> Rebuilt:
    """Put the new state in place of the live one; the workers rest meanwhile.

    Raises UserError when customers would be grouped otherwise: nothing is written then.
    """
    _refuse(rebuilt)
    if not rebuilt.changes:
        return rebuilt
    with stopped(settings, say):
        copy = Copy(MemoryStore())
        last = asyncio.run(_fold(settings, copy, lambda done, there: None))
        _refuse(last)
        key = APPLIED.encode()
        changes = {**last.changes, key: encode(Applied(last.applied))}
        write(settings, IDENTITIES, 0, changes, copy.store.stamp.epoch, last.applied)
        again = asyncio.run(_fold(settings, Copy(MemoryStore()), lambda done, there: None))
        if again.changes:
            raise UserError("what was written to identities is not what is there", "do it again")
    return last._replace(written=len(last.changes))


def regroup(settings: Settings, rebuilt: Rebuilt) -> Rebuilt:
    """State on the log what makes the live groups those of today's rules; the workers go on.

    Raises UserError when the rules themselves do not let them.
    """
    try:
        said = statements(rebuilt.live, rebuilt.wanted, time.time_ns() // 1_000_000)
    except LookupError as error:
        way = "--swap makes the state anew; by the rules of before, should they have changed"
        raise UserError(str(error), way) from error
    messages = [(key_of(command), encode(command)) for command in said]
    append(settings, IDENTITY_LINKS, 0, messages)
    return rebuilt._replace(written=len(said))


def _refuse(rebuilt: Rebuilt) -> None:
    if rebuilt.regrouped:
        some = ", ".join(list(rebuilt.regrouped)[:5])
        raise UserError(
            f"{len(rebuilt.regrouped):,} customers would be grouped otherwise: {some}",
            "--regroup states it on the log, so that the customers know; then swap",
        )
