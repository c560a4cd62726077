"""Which customers are one: links between them, and the forest that they grow.

Every customer is in one tree and the root is who they all are, so no identifier
ever names two customers. Two different user ids become one by an alias alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from models.identity import rank_of
from models.links.commands import Link

LARGEST = 1_000  # customers in one: more is a shared device, not a person
REMEMBERED = 20  # refusals kept with a customer


class Refusal(Struct, frozen=True):
    """A link that was not followed, and why."""

    link_id: str
    other: str
    reason: Literal["two_users", "too_large"]
    at_ms: int


class Identity(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One customer's place in the forest; only a root's size and refusals are current."""

    rank: int  # of the identifier it follows from
    parent: str = ""  # empty: a root
    size: int = 1
    refused: list[Refusal] = field(default_factory=list)


class Merge(NamedTuple):
    """Two roots that become one."""

    loser: str
    winner: str


class Place(NamedTuple):
    """Where a member is after an unmerge; `others` counts the other members, told to a root."""

    member: str
    root: str
    others: int


class Resolution(NamedTuple):
    """What a command leads to: identities to write; a merge, a refusal, new places, or nothing."""

    changes: dict[str, Identity]
    merge: Merge | None = None
    refusal: Refusal | None = None
    regroups: tuple[Place, ...] = ()
    generation: int = -1  # of the winner's group


class _Root(NamedTuple):
    id: str
    identity: Identity
    chain: list[tuple[str, Identity]]  # what was climbed to reach it


def resolve(link: Link, lookup: Callable[[str], Identity | None]) -> Resolution:
    """Return what a link changes. Pure: `lookup` gives the identities as they stand."""
    left = _root(link.left, link.left_type, lookup)
    right = _root(link.right, link.right_type, lookup)
    if left.id == right.id:
        return Resolution({})
    reason = _against(link, left.identity, right.identity)
    if reason is not None:
        return _refuse(link, left, right, reason)
    winner, loser = _order(link, left, right)
    changes = {
        below: replace(identity, parent=winner.id)
        for root in (winner, loser)
        for below, identity in root.chain[:-1]  # the last one hangs on its root already
    }
    size = winner.identity.size + loser.identity.size
    changes[loser.id] = replace(loser.identity, parent=winner.id)
    changes[winner.id] = replace(winner.identity, size=size)
    return Resolution(changes, merge=Merge(loser.id, winner.id))


def _root(id: str, kind: str, lookup: Callable[[str], Identity | None]) -> _Root:
    chain: list[tuple[str, Identity]] = []
    identity = lookup(id) or Identity(rank=rank_of(kind))
    while identity.parent:
        chain.append((id, identity))
        id = identity.parent
        above = lookup(id)
        if above is None:
            raise LookupError(f"{chain[-1][0]} hangs on {id}, which is not there")
        identity = above
    return _Root(id, identity, chain)


def _against(link: Link, a: Identity, b: Identity) -> Literal["two_users", "too_large"] | None:
    # A root has the best rank of its tree, so rank 0 says that a user is in it.
    if a.rank == b.rank == 0 and link.kind not in ("aliased", "stated"):
        return "two_users"
    return "too_large" if a.size + b.size > LARGEST else None


def _order(link: Link, left: _Root, right: _Root) -> tuple[_Root, _Root]:
    """Return winner and loser: the stronger name, then the smaller id, so links commute.

    Between two users it is the alias that says who goes on: its right side.
    """
    if left.identity.rank == right.identity.rank == 0:
        return right, left
    winner, loser = sorted((left, right), key=lambda root: (root.identity.rank, root.id))
    return winner, loser


def _refuse(
    link: Link, left: _Root, right: _Root, reason: Literal["two_users", "too_large"]
) -> Resolution:
    refusal = Refusal(link.link_id, right.id, reason, link.at_ms)
    if any(known.link_id == link.link_id for known in left.identity.refused):
        return Resolution({}, refusal=refusal)
    refused = [*left.identity.refused, refusal][-REMEMBERED:]
    return Resolution({left.id: replace(left.identity, refused=refused)}, refusal=refusal)


decode_identity = msgspec.json.Decoder(Identity).decode
