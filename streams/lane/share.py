"""Who gets which partitions; the law: shares are even, and no more moves than that takes.

Pure. Members are named by strings, partitions by numbers from 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from functools import partial

Held = Mapping[str, Collection[int]]
Shares = dict[str, set[int]]


def share(width: int, held: Held, copies: Held, burden: Mapping[str, int]) -> Shares:
    """Share `width` partitions among the members, who are the keys of `held`.

    `held`: what each says it has; two may say the same, for one may not have heard yet.
    `copies`: of what each has a copy, so that moving it there costs little. `burden`:
    how much each has otherwise; who has least gets what does not divide evenly.
    """
    shares = _claimed(width, held)
    room = _quotas(width, shares, burden)
    free = sorted(set(range(width)).difference(*shares.values()))
    needy = {member for member in shares if len(shares[member]) < room[member]}
    spoken_for = {number for member in needy for number in copies.get(member, ())}
    for member, has in shares.items():
        # What the next owner has a copy of goes first.
        for number in sorted(has, key=lambda n: (n not in spoken_for, -n)):
            if len(has) > room[member]:
                has.discard(number)
                free.append(number)
    for number in sorted(free, key=lambda n: (n not in spoken_for, n)):
        takers = [member for member in shares if len(shares[member]) < room[member]]
        to = min(takers, key=lambda m: (number not in copies.get(m, ()), len(shares[m]) - room[m]))
        shares[to].add(number)
    return shares


def share_copies(owned: Shares, before: Held, count: int) -> Shares:
    """Say who keeps a copy of what: `count` members of each partition, never its owner.

    `owned`: the shares. `before`: of what each has the data, as owner or as a copy.
    """
    copies: Shares = {member: set() for member in owned}
    owner = {number: member for member, has in owned.items() for number in has}
    count = min(count, len(owned) - 1)
    most = -(-len(owner) * count // len(owned))

    def crowded(of: str, member: str) -> tuple[int, int, str]:
        """Order by how much of that owner one would take over, then by all it keeps."""
        return len(copies[member] & owned[of]), len(copies[member]), member

    for known in (True, False):  # who has the data already is chosen before anybody else
        for number in sorted(owner):
            left = count - sum(number in kept for kept in copies.values())
            keepers = [
                member
                for member in owned
                if number not in owned[member] | copies[member]
                and (not known or (number in before.get(member, ()) and len(copies[member]) < most))
            ]
            keepers.sort(key=partial(crowded, owner[number]))
            for member in keepers[:left]:
                copies[member].add(number)
    return copies


def _claimed(width: int, held: Held) -> Shares:
    """Return what each has, a partition that two claim left to who claims less."""
    shares: Shares = {member: set() for member in sorted(held)}
    claims = Counter({member: len(numbers) for member, numbers in held.items()})
    for number in range(width):
        claimants = [member for member in shares if number in held[member]]
        if claimants:
            shares[min(claimants, key=lambda m: (claims[m], m))].add(number)
    return shares


def _quotas(width: int, shares: Shares, burden: Mapping[str, int]) -> dict[str, int]:
    """Return how many each is to have: all as many, or one more."""
    least, more = divmod(width, len(shares))
    ordered = sorted(shares, key=lambda m: (-len(shares[m]), burden.get(m, 0), m))
    return {member: least + (place < more) for place, member in enumerate(ordered)}
