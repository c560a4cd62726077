"""The forest of identities: each customer's place in a group, and how groups are walked.

Every group is one tree of the links that hold it, one root that stands for all, and one
ring of members; so no customer is ever in two. What a node keeps is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Literal, NamedTuple

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from models.errors import Reason, TouchpointRejectedError
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


class Stand:
    """The forest as one command finds it, and what the command changes."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._met: dict[str, Identity] = {}
        self.changes: dict[str, Identity] = {}

    def find(self, id: str) -> Identity | None:
        """Return a node as it is by now; None when it never had a link."""
        node = self._met.get(id)
        if node is None:
            node = self._lookup(id)
            if node is not None:
                self._met[id] = node
        return node

    def node(self, id: str) -> Identity:
        """Return a node that is there. Raises LookupError: then the forest is broken."""
        node = self._met.get(id) or self.find(id)
        if node is None:
            raise _broken(f"it has no {id}, and something hangs on it")
        return node

    def named(self, id: str, type: str) -> Identity:
        """Return a link's end, a new node if it has none. Raises TouchpointRejectedError."""
        node = self.find(id)
        if node is None:
            if not type:
                detail = f"{id} was never linked: name the customer by an identifier"
                raise TouchpointRejectedError(Reason.REFUSED, detail)
            node = self._met[id] = Identity(type=type)
        return node

    def put(self, id: str, **changed: object) -> None:
        """Change a node."""
        self._met[id] = self.changes[id] = replace(self.node(id), **changed)

    def root(self, id: str) -> str:
        """Climb to the root, and shorten the way for who comes next.

        Raises LookupError when the way has no end: then the forest is broken.
        """
        parent = self.node(id).parent
        if not parent:
            return id
        chain: list[str] = []
        while parent:
            if len(chain) == LARGEST:
                raise _broken(f"who hangs on {id} hangs on itself")
            chain.append(id)
            id = parent
            parent = self.node(id).parent
        for below in chain[:-1]:  # the last one hangs on the root already
            self.put(below, parent=id)
        return id

    def ring(self, root: str) -> Iterator[str]:
        """Yield every member of a root's group, itself first.

        Raises LookupError when the ring does not close: then the forest is broken.
        """
        yield root
        at = self.node(root).next
        left = LARGEST
        while at and at != root:
            left -= 1
            if not left:
                raise _broken(f"the ring of {root} does not come back to it")
            yield at
            at = self.node(at).next

    def between(self, left: str, right: str) -> tuple[str, str, Edge] | None:
        """Return what is known of two nodes: who keeps it, the other, and the link."""
        if (edge := self.node(left).links.get(right)) is not None:
            return left, right, edge
        if (edge := self.node(right).links.get(left)) is not None:
            return right, left, edge
        return None

    def keep(self, one: str, other: str, edge: Edge) -> bool:
        """Keep a link with a node, in place of one that matters less. False: there is no room."""
        links = {**self.node(one).links, other: edge}
        if len(links) > MOST_LINKS:
            least = _least(links)
            if least is None or least == other:
                return False
            del links[least]
        self.put(one, links=links)
        return True


def _broken(how: str) -> LookupError:
    return LookupError(
        f"the forest of identities is broken: {how}; `c360 rebuild identity --swap` makes it anew"
    )


def _least(links: dict[str, Edge]) -> str | None:
    """Return the oldest link that holds nothing, one that was not cut if there is any."""
    for state in ("known", "cut"):
        for other, edge in links.items():
            if edge.state == state:
                return other
    return None


decode_identity: Final = msgspec.json.Decoder(Identity).decode
