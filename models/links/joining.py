"""What a link leads to: a merge of two groups, or a refusal by the rules.

A merge writes two roots and the node that keeps the link, however large the groups are.
"""

from __future__ import annotations

from collections import Counter

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
    Stand,
    Why,
)
from models.links.parting import take_out


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
    if roots[0] == roots[1]:
        _remember(stand, link)
        return Resolution(stand.changes)
    reason = _against(stand, link, roots, rules)
    if reason is None:
        edge = Edge(link.kind, "holds", link.at_ms, link.by, link.reason)
        if _keep(stand, link, edge):
            return _join(stand, link, roots, rules)
        reason = "too_large"
    return _refuse(stand, link, roots, reason)


def _is_stated(link: Link) -> bool:
    return link.kind in ("stated", "aliased")


def _remember(stand: Stand, link: Link) -> None:
    """Keep a link within a group: should the group be parted, it is known."""
    there = stand.between(link.left, link.right)
    if there is None:
        stand.keep(
            link.left, link.right, Edge(link.kind, "known", link.at_ms, link.by, link.reason)
        )
        return
    one, other, edge = there
    if _is_stated(link) and (edge.state == "cut" or edge.kind != link.kind):
        state = "known" if edge.state == "cut" else edge.state
        stand.keep(one, other, Edge(link.kind, state, link.at_ms, link.by, link.reason))


def _keep(stand: Stand, link: Link, edge: Edge) -> bool:
    there = stand.between(link.left, link.right)
    one, other = there[:2] if there else (link.left, link.right)
    return stand.keep(one, other, edge)


def _against(stand: Stand, link: Link, roots: tuple[str, str], rules: Rules) -> Why | None:
    a, b = (stand.node(root).members for root in roots)
    if not _is_stated(link):
        there = stand.between(link.left, link.right)
        if there is not None and there[2].state == "cut":
            return "unmerged"
        if any(kind in a and kind in b for kind in rules.unique):
            return "two_users"
    if sum(a.values()) + sum(b.values()) > rules.limits.total:
        return "too_large"
    most = rules.most
    if any(a[kind] + b[kind] > most.get(kind, LARGEST) for kind in a.keys() & b.keys()):
        return "too_many"
    return None


def _join(stand: Stand, link: Link, roots: tuple[str, str], rules: Rules) -> Resolution:
    winner, loser = _order(stand, roots, rules)
    won, lost = stand.node(winner), stand.node(loser)
    stand.put(
        winner,
        next=lost.next or loser,
        counts=dict(Counter(won.members) + Counter(lost.members)),
        refused=[*lost.refused, *won.refused][-REMEMBERED:],
        refusals=dict(Counter(won.refusals) + Counter(lost.refusals)),
    )
    stand.put(loser, parent=winner, next=won.next or winner, counts={}, refused=[], refusals={})
    merge = Merge(loser, winner)
    return Resolution(stand.changes, merge=merge, generation=won.generation)


def _order(stand: Stand, roots: tuple[str, str], rules: Rules) -> tuple[str, str]:
    """Return winner and loser: the stronger name, then the smaller id, so links commute.

    Between two of one unique type it is the statement that says who goes on: its right side.
    """
    left, right = roots
    kinds = [stand.node(root).type for root in roots]
    if kinds[0] == kinds[1] and kinds[0] in rules.unique:
        return right, left
    ranks = rules.ranks
    winner, loser = sorted(
        roots, key=lambda root: (ranks.get(stand.node(root).type, len(ranks)), root)
    )
    return winner, loser


def _refuse(stand: Stand, link: Link, roots: tuple[str, str], reason: Why) -> Resolution:
    left, right = (stand.node(root) for root in roots)
    refusal = _refusal(link, roots[1], reason)
    if any(known.link_id == link.link_id for known in left.refused):
        return Resolution(stand.changes, refusal=refusal)
    news = reason not in left.refusals and reason not in right.refusals
    for root, node, other in ((roots[0], left, roots[1]), (roots[1], right, roots[0])):
        stand.put(
            root,
            refused=[*node.refused, replace(refusal, other=other)][-REMEMBERED:],
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
    logins = [*logins, person]
    if len(logins) >= rules.shared_after:  # those who have become one since are one
        logins = list({stand.root(one): one for one in logins}.values())
    if len(logins) >= rules.shared_after:
        return True
    stand.put(device, logins=logins)
    return False


def _share(stand: Stand, device: str, link: Link, rules: Rules, generation: int) -> Resolution:
    """Take a device that has become shared out of its customer, for good."""
    stand.put(device, shared=True, logins=[])
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
