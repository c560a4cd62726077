"""Small trees as scorers take them: what each says beyond what it says of the mean.

Seen from the mean, a tree's root is crossed or not; if it is not, the near side's question
may be, and if it is, the far side's. So a tree's worth is 0 for a customer like the
population, and of a missing feature, which counts as the mean, no reason is made.
"""

from __future__ import annotations

from librt.vecs import vec
from mypy_extensions import i64

from models.online.vectors import of, zeros

OUT = 1e9  # a cut that no distance crosses

# Root, its cut; near feature, its cut, what crossing it adds; far feature, its cut, what crossing
# the root adds, what crossing the far one adds to it. Features by number, cuts in deviations: one
# above 0 is crossed by what reaches it, another by what lies below it.
Fork = tuple[int, float, int, float, float, int, float, float, float]


class Forest:
    """Forks in arrays: of each its three features, its three cuts, what crossing each adds."""

    def __init__(self, forks: list[Fork]) -> None:
        self._asked = vec[i64]([at for fork in forks for at in (fork[0], fork[2], fork[5])])
        self._cuts = of([cut for fork in forks for cut in (fork[1], fork[3], fork[6])])
        self._adds = of([add for fork in forks for add in (fork[7], fork[4], fork[8])])

    def shared(self, distances: vec[float]) -> vec[float]:
        """Return each feature's share of what the trees say, by distances from the mean.

        A feature's share is its Shapley value against the mean (Lundberg & Lee 2017): a question
        counts in half of the orders in which features can leave the mean, if another one decides
        whether it is asked.
        """
        asked, cuts, adds = self._asked, self._cuts, self._adds
        shares = zeros(len(distances))
        for root in range(0, i64(len(asked)), 3):
            near, far = root + 1, root + 2
            aside = adds[near] if crossed(distances[asked[near]], cuts[near]) else 0.0
            if not crossed(distances[asked[root]], cuts[root]):
                shares[asked[near]] += aside
                continue
            more = adds[far] if crossed(distances[asked[far]], cuts[far]) else 0.0
            shares[asked[root]] += adds[root] + 0.5 * (more - aside)
            shares[asked[far]] += 0.5 * more
            shares[asked[near]] += 0.5 * aside
        return shares


def crossed(distance: float, cut: float) -> bool:
    """Tell whether a distance is beyond a cut, seen from the mean."""
    return distance >= cut if cut > 0.0 else distance < cut
