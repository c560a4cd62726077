"""How a group is parted: a person takes a member out, or a rule a device that many share.

What is cut is never followed again; each part is a group as if the cut links had never been.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator

from msgspec.structs import replace

from models.errors import Reason, TouchpointRejectedError
from models.identity_rules import SHIPPED, Rules
from models.links.commands import Unmerge
from models.links.forest import Edge, Lookup, Place, Resolution
from models.links.stand import Stand


def unmerge(
    command: Unmerge, lookup: Lookup, generation: int, rules: Rules = SHIPPED
) -> Resolution:
    """Return what parting a member from its group changes: `generation` is the command's offset.

    The link by which it hangs on its group is cut, and each other one between the two
    sides. Raises TouchpointRejectedError when there is nothing to part.
    """
    stand, member = Stand(lookup), command.customer
    node = stand.find(member)
    if node is not None and node.unmerge_id == command.unmerge_id:
        return Resolution({})  # the same command, sent twice
    root = stand.root(member) if node is not None else member
    if node is None or stand.node(root).size == 1:
        raise _refused(f"{member} is merged with nobody")
    if root == member:
        raise _refused(f"{member} stands for its whole group: name the member that is to leave")
    group = list(stand.ring(root))
    side = _side(stand, group, root, member)
    rest = [one for one in group if one not in side]
    _cut(stand, group, command, lambda one, other: (one in side) != (other in side))
    sides = (rest, [one for one in group if one in side])
    stand.put(member, unmerge_id=command.unmerge_id)
    regroups = tuple(_settle(stand, sides, root, generation, rules))
    return Resolution(stand.changes, regroups=regroups, generation=generation, unmerge=command)


def take_out(stand: Stand, command: Unmerge, generation: int, rules: Rules) -> tuple[Place, ...]:
    """Part one node from all that it is linked to; return where each member is then.

    Those who belong together without it stay together.
    """
    node, root = command.customer, stand.root(command.customer)
    group = list(stand.ring(root))
    if len(group) == 1:
        return ()
    _cut(stand, group, command, lambda one, other: node in (one, other))
    return tuple(_settle(stand, _parts(stand, group), root, generation, rules))


def _refused(detail: str) -> TouchpointRejectedError:
    return TouchpointRejectedError(Reason.REFUSED, detail, "customer")


def _edges(stand: Stand, group: Iterable[str], *states: str) -> Iterator[tuple[str, str]]:
    """Yield the links of these states that the members of a group keep."""
    for one in group:
        for other, edge in stand.node(one).links.items():
            if edge.state in states:
                yield one, other


def _side(stand: Stand, group: Collection[str], root: str, member: str) -> set[str]:
    """Return whoever hangs on the root by way of `member`, itself included."""
    beside: dict[str, list[str]] = {one: [] for one in group}
    for one, other in _edges(stand, group, "holds"):
        beside[one].append(other)
        beside[other].append(one)
    above, row = {root: ""}, [root]
    for at in row:  # grows while it is walked: nearest first
        for next in beside[at]:
            if next not in above:
                above[next] = at
                row.append(next)
    side = {member}
    for at in row:
        if above[at] in side:
            side.add(at)
    return side


def _cut(
    stand: Stand, group: Iterable[str], command: Unmerge, apart: Callable[[str, str], bool]
) -> None:
    """Cut each link in a group whose two ends are to be apart."""
    for one in group:
        links = stand.node(one).links
        if any(edge.state != "cut" and apart(one, other) for other, edge in links.items()):
            stand.put(
                one,
                links={
                    other: _parted(edge, command)
                    if edge.state != "cut" and apart(one, other)
                    else edge
                    for other, edge in links.items()
                },
            )


def _parted(edge: Edge, command: Unmerge) -> Edge:
    return Edge(edge.kind, "cut", command.at_ms, command.by, command.reason, edge.said)


def _parts(stand: Stand, group: list[str]) -> list[list[str]]:
    """Return who belongs together by what was not cut; what only was known may hold from now on."""
    part = {one: [one] for one in group}

    def join(one: str, other: str) -> bool:
        into, gone = part[one], part[other]
        if into is gone:
            return False
        into.extend(gone)
        part.update(dict.fromkeys(gone, into))
        return True

    for one, other in _edges(stand, group, "holds"):
        join(one, other)
    for one, other in list(_edges(stand, group, "known")):
        if join(one, other):
            links = stand.node(one).links
            stand.put(one, links={**links, other: replace(links[other], state="holds")})
    return list({id(members): members for members in part.values()}.values())


def _settle(
    stand: Stand, parts: Iterable[list[str]], before: str, generation: int, rules: Rules
) -> Iterator[Place]:
    """Make a group of each part, and yield each member's place; the old root stays one."""
    ranks = rules.ranks
    for members in parts:
        root = min(
            members,
            key=lambda one: (
                one != before,
                ranks.get(stand.node(one).type, len(ranks)),
                one,
            ),
        )
        counts = dict(Counter(stand.node(one).type for one in members))
        alone = len(members) == 1
        for one, after in zip(members, [*members[1:], members[0]], strict=True):
            stand.put(
                one,
                parent="" if one == root else root,
                next="" if alone else after,
                counts=counts if one == root and not alone else {},
                generation=generation,
            )
            yield Place(one, root, len(members) - 1 if one == root else 0)
