"""Small trees as scorers take them: what each says beyond what it says of the mean.

Seen from the mean, a tree's root is crossed or not; if it is not, the near side's question
may be, and if it is, the far side's. So a tree's worth is 0 for a customer like the
population, and of a missing feature, which counts as the mean, no reason is made.
"""

from __future__ import annotations

OUT = 1e9  # a cut that no distance crosses

# Root, its cut; near feature, its cut, what crossing it adds; far feature, its cut, what crossing
# the root adds, what crossing the far one adds to it. Features by number, cuts in deviations: one
# above 0 is crossed by what reaches it, another by what lies below it.
Fork = tuple[int, float, int, float, float, int, float, float, float]


def shared(forks: list[Fork], distances: list[float]) -> list[float]:
    """Return each feature's share of what the trees say, by distances from the mean.

    A feature's share is its Shapley value against the mean (Lundberg & Lee 2017): a question
    counts in half of the orders in which features can leave the mean, if another one decides
    whether it is asked.
    """
    shares = [0.0] * len(distances)
    for root, cut, near, near_cut, moved, far, far_cut, reached, beyond in forks:
        distance = distances[near]
        aside = moved if (distance >= near_cut if near_cut > 0.0 else distance < near_cut) else 0.0
        distance = distances[root]
        if not (distance >= cut if cut > 0.0 else distance < cut):
            if aside:
                shares[near] += aside
            continue
        distance = distances[far]
        more = beyond if (distance >= far_cut if far_cut > 0.0 else distance < far_cut) else 0.0
        shares[root] += reached + 0.5 * (more - aside)
        shares[far] += 0.5 * more
        shares[near] += 0.5 * aside
    return shares
