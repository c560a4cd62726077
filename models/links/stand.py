"""The forest as one command finds it: how its groups are walked and changed.

What a walk meets is as the command left it; nothing is written before the command is done.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from models.errors import Reason, TouchpointRejectedError
from models.identity_rules import LARGEST
from models.links.forest import MOST_LINKS, Edge, Identity, Lookup


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
