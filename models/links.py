"""Which customers are one: links between them, and the forest that they grow.

Every customer is in one tree and the root is who they all are, so no identifier
ever names two customers. Two different user ids become one by an alias alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from models.events.base import EPOCH, Identifier
from models.events.codec import made
from models.events.system import CustomerMerged
from models.events.union import Touchpoint
from models.identity import customer_id_of, is_person, primary, rank_of

LARGEST = 1_000  # customers in one: more is a shared device, not a person
REMEMBERED = 20  # refusals kept with a customer

Kind = Literal["observed", "identified", "aliased"]


class Link(Struct, frozen=True, omit_defaults=True):
    """Two customers that one event named at once. `left` is the weaker name."""

    link_id: str
    kind: Kind
    left: str  # customer id
    left_type: str  # of the identifier it follows from
    right: str
    right_type: str
    event_id: str
    at_ms: int
    received_ms: int


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


class Resolution(NamedTuple):
    """What a link leads to: identities to write, and a merge, a refusal, or neither."""

    changes: dict[str, Identity]
    merge: Merge | None = None
    refusal: Refusal | None = None


class _Root(NamedTuple):
    id: str
    identity: Identity
    chain: list[tuple[str, Identity]]  # what was climbed to reach it


def links_of(event: Touchpoint, new: Callable[[str], bool] | None = None) -> Iterator[Link]:
    """Yield the links that an identified event carries: of those whose id is `new`, if asked."""
    if event.type == "customer_aliased":
        joins = _joins(event.identifiers, True, event.previous)
    elif len(event.identifiers) == 1:
        return
    else:
        joins = _joins(event.identifiers, event.type == "customer_identified")
    for join in joins:
        if new is None or new(join[0]):
            yield Link(*join, event.event_id, event.occurred_ms, event.received_ms)


@lru_cache(1 << 15)  # a visit's events all carry the same links
def _joins(
    who: tuple[Identifier, ...], stated: bool, previous: tuple[Identifier, ...] = ()
) -> tuple[tuple[str, Kind, str, str, str, str], ...]:
    """Return what these names join, as the first fields of `Link`."""
    main = primary(who)
    joins = []
    for other in who:
        stronger = rank_of(main.type) < rank_of(other.type)
        if other != main and (stated or (stronger and not is_person(other.type))):
            joins.append(_join(other, main, "identified" if stated else "observed"))
    joins += [_join(one, main, "aliased") for one in previous if one != main]
    return tuple(joins)


def _join(left: Identifier, right: Identifier, kind: Kind) -> tuple[str, Kind, str, str, str, str]:
    left_id, right_id = customer_id_of(left), customer_id_of(right)
    named = f"{kind}:{left_id}:{right_id}".encode()
    link_id = f"l_{blake2b(named, digest_size=10).hexdigest()}"
    return link_id, kind, left_id, left.type.value, right_id, right.type.value


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
    if a.rank == b.rank == 0 and link.kind != "aliased":
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


def merged(link: Link, merge: Merge, origin: str, offset: int) -> CustomerMerged:
    """Return the event that tells the loser's fold where to forward to."""
    return made(
        CustomerMerged,
        event_id=f"merged:{link.link_id}:{merge.loser}",
        occurred_at=EPOCH + timedelta(milliseconds=link.at_ms),
        received_at=EPOCH + timedelta(milliseconds=link.received_ms),
        customer_id=merge.loser,
        origin=origin,
        origin_offset=offset,
        winner=merge.winner,
        loser=merge.loser,
        link_id=link.link_id,
    )


_encoder = msgspec.json.Encoder()
encode = _encoder.encode
decode_link = msgspec.json.Decoder(Link).decode
decode_identity = msgspec.json.Decoder(Identity).decode
