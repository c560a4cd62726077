"""Small trees as scorers take them: what each says beyond what it says of the mean.

Seen from the mean each question is crossed or not, and has a near side, where the mean stays,
and a far one. So a tree's worth is 0 for a customer like the population, and of a missing
feature, which counts as the mean, no reason is made.
"""

from __future__ import annotations

from typing import Final

from librt.vecs import append, vec
from mypy_extensions import i64

from models.online.levels import OUT, cut_at
from models.online.vectors import zeros

ASKED: Final = 7  # questions of a fork, one level after the other
_DEEP: Final = 4  # of them on its last level
_LOW: Final = ASKED - _DEEP  # the first of these

# The questions' features by number, then their cuts in levels, then what crossing each adds, in
# ticks. Below question n stand 2n + 1, its near one, and 2n + 2.
Fork = tuple[int, ...]

# A tree of two levels, as snapshots of the formats 3 to 5 have it: root, its cut; near feature, its
# cut, what crossing it adds; far feature, its cut, what crossing the root adds, what crossing the
# far one adds to it. Cuts in deviations, what is added in logits.
Former = tuple[int, float, int, float, float, int, float, float, float]


class Forest:
    """Forks in arrays: by question its feature, its cut, and what crossing it adds, in logits.

    A cut above 0 is crossed by what reaches it, another by what lies below it.
    """

    def __init__(self, forks: list[Fork], tick: float, former: list[Former]) -> None:
        self._asked, self._cuts, self._adds = vec[i64](), vec[float](), vec[float]()
        self._own, self._parents, self._roots = vec[float](), vec[float](), vec[float]()
        for fork in forks:
            cuts = [cut_at(cut) for cut in fork[ASKED : 2 * ASKED]]
            self._lay(list(fork[:ASKED]), cuts, [tick * add for add in fork[2 * ASKED :]])
        for root, cut, near, near_cut, aside, far, far_cut, moved, more in former:
            asked = [root, near, far, near, near, far, far]
            self._lay(asked, [cut, near_cut, far_cut] + [OUT] * 4, [moved, aside, more] + [0.0] * 4)

    def _lay(self, asked: list[int], cuts: list[float], adds: list[float]) -> None:
        for number in range(ASKED):
            self._asked = append(self._asked, asked[number])
            self._cuts = append(self._cuts, cuts[number])
            self._adds = append(self._adds, adds[number])
        for deep in range(_LOW, ASKED):
            own, parent, root = split(deep, asked) if adds[deep] else (0.0, 0.0, 0.0)
            self._own = append(self._own, own * adds[deep])
            self._parents = append(self._parents, parent * adds[deep])
            self._roots = append(self._roots, root * adds[deep])

    def shared(self, distances: vec[float]) -> vec[float]:
        """Return each feature's share of what the trees say, by distances from the mean.

        A feature's share is its Shapley value against the mean (Lundberg & Lee 2017). What a
        question adds is shared by those on its path that are crossed: by none else, by two in
        halves (against who must stay), by three as `split` says.
        """
        asked, cuts, adds = self._asked, self._cuts, self._adds
        shares = zeros(len(distances))
        first: i64 = 0
        deep: i64 = 0
        while first < i64(len(asked)):
            near, far = first + 1, first + 2
            if crossed(distances[asked[first]], cuts[first]):
                total = adds[first]
                if crossed(distances[asked[near]], cuts[near]):
                    half = 0.5 * adds[near]
                    total += self._three(first, near, deep, distances, shares) - half
                    shares[asked[near]] += half
                elif crossed(distances[asked[first + 3]], cuts[first + 3]):
                    half = 0.5 * adds[first + 3]
                    total -= half
                    shares[asked[first + 3]] += half
                if crossed(distances[asked[far]], cuts[far]):
                    half = 0.5 * adds[far]
                    total += self._three(first, far, deep + 2, distances, shares) + half
                    shares[asked[far]] += half
                elif crossed(distances[asked[first + 5]], cuts[first + 5]):
                    half = 0.5 * adds[first + 5]
                    total += half
                    shares[asked[first + 5]] += half
                shares[asked[first]] += total
            else:
                near, far = first + 3, first + 4
                aside = adds[near] if crossed(distances[asked[near]], cuts[near]) else 0.0
                if crossed(distances[asked[first + 1]], cuts[first + 1]):
                    more = adds[far] if crossed(distances[asked[far]], cuts[far]) else 0.0
                    shares[asked[first + 1]] += adds[first + 1] + 0.5 * (more - aside)
                    shares[asked[far]] += 0.5 * more
                    aside *= 0.5
                shares[asked[near]] += aside
            first += ASKED
            deep += _DEEP
        return shares

    def _three(
        self, first: i64, parent: i64, deep: i64, distances: vec[float], shares: vec[float]
    ) -> float:
        """Add what the deep questions of a crossed parent and root add; return the root's part."""
        asked, cuts = self._asked, self._cuts
        total = 0.0
        question = first + 2 * (parent - first) + 1
        for _ in range(2):
            if crossed(distances[asked[question]], cuts[question]):
                shares[asked[question]] += self._own[deep]
                shares[asked[parent]] += self._parents[deep]
                total += self._roots[deep]
            question += 1
            deep += 1
        return total


def crossed(distance: float, cut: float) -> bool:
    """Tell whether a distance is beyond a cut, seen from the mean."""
    return distance >= cut if cut > 0.0 else distance < cut


def split(deep: int, asked: list[int]) -> tuple[float, float, float]:
    """Return what a deep question, its parent and the root get of what it adds, all crossed.

    Of the orders in which their features leave the mean those count in which it is reached: a of
    them must have left, b must not. Each of the former gets (a - 1)! b! / (a + b)!, each of the
    latter gives a! (b - 1)! / (a + b)!. A feature counts once, where it is asked deepest; one
    that must have left and must not can't be crossed so.
    """
    parent = (deep - 1) // 2
    left, stayed = {asked[deep]}, set[int]()
    (left if deep == 2 * parent + 2 else stayed).add(asked[parent])
    (left if parent == 2 else stayed).add(asked[0])
    if left & stayed:
        return 0.0, 0.0, 0.0
    gets, gives = _ORDERS[len(left), len(stayed)]
    own, told = gets, {asked[deep]}
    found = []
    for feature in (asked[parent], asked[0]):
        found.append(0.0 if feature in told else gets if feature in left else -gives)
        told.add(feature)
    return own, found[0], found[1]


# By how many must have left, and must not.
_ORDERS: Final = {
    (1, 0): (1.0, 0.0),
    (1, 1): (1 / 2, 1 / 2),
    (1, 2): (1 / 3, 1 / 6),
    (2, 0): (1 / 2, 0.0),
    (2, 1): (1 / 6, 1 / 3),
    (3, 0): (1 / 3, 0.0),
}
