"""A mixture of candidates as one set of weights.

They are all sums, of the shared scaler's distances, of products of them and of small trees
over them, and what is mixed are logits: so the mixture of their weights predicts what the
mixture of them does.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.online.bayes import Bayes
from models.online.boosting import QUESTIONS, TICKS, Tree, parts_of
from models.online.crosses import Crosses
from models.online.forks import Fork
from models.online.levels import MIDDLE
from models.online.logit import Logit, Weight
from models.online.search import CONSTANT, Column
from models.online.shares import Cross, Term
from models.online.trees import Trees


def terms(
    mix: Mapping[str, float],
    parts: Mapping[str, Weight],
    bayes: Bayes,
    crosses: Crosses,
) -> dict[str, Term]:
    """Return each feature's mean, scale and mixed weight."""
    first, second, third = (mix.get(name, 0.0) for name in ("logit", "bayes", "crosses"))
    by_bayes = bayes.weights()[1:]
    by_crosses = crosses.posterior.weights()[1 + len(crosses.pairs) :]
    found = {}
    for place, (name, part) in enumerate(parts.items()):
        weight = first * part.weight
        if place < len(by_bayes):
            weight += second * by_bayes[place] + third * by_crosses[place]
        found[name] = (part.mean, part.scale, weight)
    return found


def intercept(mix: Mapping[str, float], logit: Logit, bayes: Bayes, crosses: Crosses) -> float:
    """Return the mixed intercept, without what all start from."""
    return (
        mix.get("logit", 0.0) * logit.intercept
        + mix.get("bayes", 0.0) * bayes.weights()[0]
        + mix.get("crosses", 0.0) * float(crosses.posterior.means[0])
    )


def products(
    share: float, parts: Mapping[str, Weight], crosses: Crosses
) -> tuple[list[tuple[str, float]], list[Cross]]:
    """Return the columns that products are made of, and the products; nothing for no share."""
    if not share:
        return [], []
    names = list(parts)
    columns: dict[Column, int] = {}
    found: list[Cross] = []
    weights = crosses.posterior.weights()[1:]
    for pair, weight, usual in zip(crosses.pairs, weights, crosses.usual, strict=False):
        # A hinge alone is a product with the constant, which comes first.
        left, right = pair if pair[0] != CONSTANT else (pair[1], None)
        at = columns.setdefault(left, len(columns))
        other = -1 if right is None else columns.setdefault(right, len(columns))
        found.append((at, other, usual, share * weight))
    return [(names[column.place], column.knot) for column in columns], found


def forest(
    share: float, parts: Mapping[str, Weight], trees: Trees
) -> tuple[list[str], list[Fork], float]:
    """Return the features that trees ask of, the trees, and what they say of the mean; or none."""
    if not share or not trees.trees:
        return [], [], 0.0
    names = list(parts)
    columns: dict[int, int] = {}
    found: list[Fork] = []
    level = 0
    for tree in trees.trees:
        asked, cuts, adds, usual = _fork(tree)
        places = [columns.setdefault(place, len(columns)) for place in asked]
        found.append((*places, *cuts, *adds))
        level += usual
    return [names[place] for place in columns], found, share / TICKS * level


def _fork(tree: Tree) -> tuple[list[int], list[int], list[int], int]:
    """Return a tree's features, cuts and what crossing each adds to what it says of the mean.

    And the latter. Each question has its near side first.
    """
    features, cuts, leaves = parts_of(tree)
    order = [0]
    for number in range(QUESTIONS):
        at = order[number]
        # The mean is not above a cut that lies above it.
        near = 2 * at + (1 if cuts[at] > MIDDLE else 2)
        order += [near, 4 * at + 3 - near]
    says = [0] * QUESTIONS + [leaves[at - QUESTIONS] for at in order[QUESTIONS:]]
    adds = [0] * QUESTIONS
    for number in reversed(range(QUESTIONS)):
        says[number] = says[2 * number + 1]
        adds[number] = says[2 * number + 2] - says[number]
    asked = order[:QUESTIONS]
    return [features[at] for at in asked], [cuts[at] for at in asked], adds, says[0]
