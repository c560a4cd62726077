"""What a person would state so that live groups become those that today's rules give.

State alone cannot be swapped where groups differ: the customers must be told as well, in the
order of all that is said of them. So it is said on the log, as merges and unmerges are.
"""

from __future__ import annotations

from collections.abc import Iterable

from infra.errors import UserError
from infra.verify.forest import Forest
from models.errors import TouchpointRejectedError
from models.links import Command, Unmerge, state_merge, state_unmerge

BY = "c360 rebuild identity"
REASON = "the rules of who is one customer have changed"


def statements(live: Forest, wanted: Forest, at_ms: int) -> list[Command]:
    """Return commands that make the groups of `live` those of `wanted`: parting, then joining.

    Whoever folds the log anew, these commands with it, has the groups of `wanted` too. Raises
    UserError when the rules themselves do not let them.
    """
    there, anew = live.copy(), wanted.copy()
    ids = sorted(there.identities.keys() | wanted.identities.keys())
    said = _partings(there, anew, wanted, ids, at_ms)
    for id in ids:
        root = wanted.root(id)
        if any(forest.root(id) != forest.root(root) for forest in (there, anew)):
            said.append(state_merge(id, root, BY, REASON, at_ms + len(said)))
            _follow(there, said[-1])
            _follow(anew, said[-1])
    other = [id for id in ids if {forest.root(id) for forest in (there, anew)} != {wanted.root(id)}]
    if other:
        raise UserError(
            f"{len(other):,} customers would still be grouped otherwise: {', '.join(other[:5])}",
            "`c360 identity show` tells why",
        )
    return said


def _partings(
    there: Forest, anew: Forest, wanted: Forest, ids: list[str], at_ms: int
) -> list[Command]:
    """Part who is not to be together. In `anew` that may part those who belong together."""
    said: list[Command] = []
    while displaced := _displaced(there, wanted, ids):
        for id in displaced:
            command = state_unmerge(id, BY, REASON, at_ms + len(said))
            if _displaced(there, wanted, [id]) and _follow(there, command):
                _follow(anew, command)
                said.append(command)
        if len(_displaced(there, wanted, ids)) >= len(displaced):
            break
    return said


def _displaced(there: Forest, wanted: Forest, ids: Iterable[str]) -> list[str]:
    """Return those who are in a group whose root is to be another customer than they."""
    return [id for id in ids if wanted.root(id) != wanted.root(there.root(id))]


def _follow(forest: Forest, command: Command) -> bool:
    """Carry out a command; tell whether that could be."""
    try:
        forest.follow(command, forest.applied + 1)
    except TouchpointRejectedError:
        return False
    return True


def key_of(command: Command) -> bytes:
    """Return the key of a command on `identity-links`."""
    return (command.customer if isinstance(command, Unmerge) else command.left).encode()
