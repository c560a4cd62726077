"""The forest of identities: each customer's place in a group.

Every group is one tree of the links that hold it, one root that stands for all, and one
ring of members; so no customer is ever in two. What a node keeps is bounded.
`models.links.stand` walks it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, NamedTuple

import msgspec
from msgspec import Struct, field

from models.identity_rules import LARGEST as LARGEST
from models.links.commands import Kind, Unmerge
from models.links.refusals import Why

APPLIED: Final = "_applied"  # the key in `identities` that is nobody: how far they go
REMEMBERED: Final = 20  # refusals kept with a root
MOST_LINKS: Final = 64  # links kept with a node

State = Literal["holds", "known", "cut"]
Lookup = Callable[[str], "Identity | None"]


class Edge(Struct, frozen=True, omit_defaults=True, gc=False):
    """A link to another node, kept with the one that was its left side.

    A group hangs together by the links that hold; a known one says it once more;
    one that was cut is never followed again, unless somebody states it.
    """

    kind: Kind
    state: State = "holds"
    at_ms: int = 0
    by: str = ""
    reason: str = ""
    said: str = ""  # event id of the statement, so that the same one cannot undo an unmerge


class Refusal(Struct, frozen=True, gc=False):
    """A link that was not followed, and why: `other` is the root at its other end."""

    link_id: str
    other: str
    reason: Why
    at_ms: int


class Identity(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """One customer's node. Counts and refusals are current at a root alone."""

    type: str = ""  # of the identifier it follows from
    parent: str = ""  # towards the root; empty: it is one
    next: str = ""  # the member after it in the group's ring; empty: it is alone
    counts: dict[str, int] = field(default_factory=dict)  # members by type; empty: it is alone
    links: dict[str, Edge] = field(default_factory=dict)  # by the node at the other end
    logins: tuple[str, ...] = ()  # a device's people, of different customers
    shared: bool = False  # a device of too many people: it belongs to nobody
    generation: int = -1  # offset on identity-links of the unmerge that it was in last
    unmerge_id: str = ""  # of the newest unmerge of just this member
    refused: tuple[Refusal, ...] = ()  # the newest
    refusals: dict[str, int] = field(default_factory=dict)  # by reason

    @property
    def members(self) -> dict[str, int]:
        """How many members the group has, by type of identifier."""
        return self.counts or {self.type: 1}

    @property
    def size(self) -> int:
        """How many members the group has."""
        return sum(self.counts.values()) or 1


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
    """What a command leads to: identities to write; a merge, a refusal, new places, or nothing.

    `news`: neither customer was refused anything for this reason before. `unmerge` is the
    command that the places follow from, a rule's own where no person gave it.
    """

    changes: dict[str, Identity]
    merge: Merge | None = None
    refusal: Refusal | None = None
    regroups: tuple[Place, ...] = ()
    generation: int = -1  # of the winner's group
    news: bool = False
    unmerge: Unmerge | None = None


decode_identity: Final = msgspec.json.Decoder(Identity).decode
