"""What a link leads to: a merge of two groups, or a refusal by the rules.

A merge writes two roots and the node that keeps the link, however large the groups are.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from models.identity_rules import DEVICES, LARGEST, SHIPPED, Rules
from models.links.commands import Link, Unmerge, called
from models.links.forest import (
    REMEMBERED,
    Edge,
    Identity,
    Lookup,
    Merge,
    Refusal,
    Resolution,
    State,
)
from models.links.parting import take_out
from models.links.refusals import Why
from models.links.stand import Stand

_STATED: Final = frozenset({"stated", "aliased"})


def resolve(link: Link, lookup: Lookup, rules: Rules = SHIPPED, generation: int = -1) -> Resolution:
    """Return what a link changes. Pure: `lookup` gives the identities as they stand.

    `generation` is the link's own offset: a rule may part a group by it. Raises
    TouchpointRejectedError on a customer id that no link ever named.
    """
    if link.left == link.right:
        return Resolution({})
    stand = Stand(lookup)
    left, right = stand.named(link.left, link.left_type), stand.named(link.right, link.right_type)
    if rules.shared_after:
        if left.shared or right.shared:
            return Resolution({}, refusal=_refusal(link, link.right, "shared"))
        device = _device_of(link, left, right, rules)
        if device is not None and _is_shared(stand, device, link, rules):
            return _share(stand, device, link, rules, generation)
    roots = stand.root(link.left), stand.root(link.right)
    there = stand.between(link.left, link.right)
    if roots[0] == roots[1]:
        _remember(stand, link, there)
        return Resolution(stand.changes)
    reason = _against(stand, link, there, roots, rules)
    if reason is None:
        one, other = there[:2] if there else (link.left, link.right)
        if stand.keep(one, other, _edge(link, "holds")):
            return _join(stand, roots, rules)
        reason = "too_large"
    return _refuse(stand, link, roots, reason)


def _is_stated(link: Link) -> bool:
    return link.kind in _STATED


def _stays_cut(link: Link, edge: Edge) -> bool:
    """Tell whether an unmerge stands against a link: only what was said since overrides it."""
    return edge.state == "cut" and (not _is_stated(link) or link.event_id == edge.said)


def _edge(link: Link, state: State) -> Edge:
    said = link.event_id if _is_stated(link) else ""
    return Edge(link.kind, state, link.at_ms, link.by, link.reason, said)


def _remember(stand: Stand, link: Link, there: tuple[str, str, Edge] | None) -> None:
    """Keep a link within a group: should the group be parted, it is known."""
    if there is None:
        stand.keep(link.left, link.right, _edge(link, "known"))
        return
    one, other, edge = there
    new = _is_stated(link) and not _stays_cut(link, edge)
    if new and (edge.state == "cut" or edge.kind != link.kind):
        stand.keep(one, other, _edge(link, "known" if edge.state == "cut" else edge.state))


def _against(
    stand: Stand,
    link: Link,
    there: tuple[str, str, Edge] | None,
    roots: tuple[str, str],
    rules: Rules,
) -> Why | None:
    a, b = stand.node(roots[0]).members, stand.node(roots[1]).members
    both = [kind for kind in a if kind in b]
    if there is not None and _stays_cut(link, there[2]):
        return "unmerged"
    if both and not _is_stated(link) and not rules.unique.isdisjoint(both):
        return "two_users"
    if sum(a.values()) + sum(b.values()) > rules.limits.total:
        return "too_large"
    for kind in both:
        if a[kind] + b[kind] > rules.most.get(kind, LARGEST):
            return "too_many"
    return None


def _join(stand: Stand, roots: tuple[str, str], rules: Rules) -> Resolution:
    winner, loser = _order(stand, roots, rules)
    won, lost = stand.node(winner), stand.node(loser)
    known: dict[str, object] = {}
    if lost.refusals:
        known["refused"] = (*lost.refused, *won.refused)[-REMEMBERED:]
        known["refusals"] = _sum(won.refusals, lost.refusals)
    counts = _sum(won.members, lost.members)
    stand.put(winner, next=lost.next or loser, counts=counts, **known)
    stand.put(loser, parent=winner, next=won.next or winner, counts={}, refused=(), refusals={})
    return Resolution(stand.changes, Merge(loser, winner), generation=won.generation)


def _sum(some: dict[str, int], more: dict[str, int]) -> dict[str, int]:
    total = dict(some)
    for name, number in more.items():
        total[name] = total.get(name, 0) + number
    return total


def _order(stand: Stand, roots: tuple[str, str], rules: Rules) -> tuple[str, str]:
    """Return winner and loser: the stronger name, then the smaller id, so links commute.

    Between two of one unique type it is the statement that says who goes on: its right side.
    """
    left, right = roots
    a, b = stand.node(left).type, stand.node(right).type
    if a == b:
        return (right, left) if a in rules.unique or right < left else (left, right)
    ranks = rules.ranks
    last = len(ranks)
    return (left, right) if ranks.get(a, last) < ranks.get(b, last) else (right, left)


def _refuse(stand: Stand, link: Link, roots: tuple[str, str], reason: Why) -> Resolution:
    left, right = (stand.node(root) for root in roots)
    refusal = _refusal(link, roots[1], reason)
    if any(known.link_id == link.link_id for known in left.refused):
        return Resolution(stand.changes, refusal=refusal)
    news = reason not in left.refusals and reason not in right.refusals
    for root, node, other in ((roots[0], left, roots[1]), (roots[1], right, roots[0])):
        stand.put(
            root,
            refused=(*node.refused, replace(refusal, other=other))[-REMEMBERED:],
            refusals={**node.refusals, reason: node.refusals.get(reason, 0) + 1},
        )
    return Resolution(stand.changes, refusal=refusal, news=news)


def _refusal(link: Link, other: str, reason: Why) -> Refusal:
    return Refusal(link.link_id, other, reason, link.at_ms)


def _device_of(link: Link, left: Identity, right: Identity, rules: Rules) -> str | None:
    """Return the link's end that is a device, where the other is somebody who logged in there."""
    if _is_stated(link):
        return None
    for id, one, other in ((link.left, left, right), (link.right, right, left)):
        if one.type in DEVICES and other.type in rules.unique:
            return id
    return None


def _is_shared(stand: Stand, device: str, link: Link, rules: Rules) -> bool:
    """Note who logged in at a device; tell whether they are too many by now."""
    person = link.left if device == link.right else link.right
    logins = stand.node(device).logins
    if person in logins:
        return False
    logins = (*logins, person)
    if len(logins) >= rules.shared_after:  # those who have become one since are one
        logins = tuple({stand.root(one): one for one in logins}.values())
    if len(logins) >= rules.shared_after:
        return True
    stand.put(device, logins=logins)
    return False


def _share(stand: Stand, device: str, link: Link, rules: Rules, generation: int) -> Resolution:
    """Take a device that has become shared out of its customer, for good."""
    stand.put(device, shared=True, logins=())
    command = Unmerge(
        unmerge_id=called("u", "shared", device, str(generation)),
        customer=device,
        by="rule",
        reason="shared device",
        at_ms=link.at_ms,
        received_ms=link.received_ms,
    )
    regroups = take_out(stand, command, generation, rules)
    ends = stand.root(link.left), stand.root(link.right)
    return _refuse(stand, link, ends, "shared")._replace(regroups=regroups, unmerge=command)
