"""Shares of small trees are Shapley values against the mean: held to their definition."""

import math
import random
from itertools import permutations

import pytest

from models.online.boosting import NEVER
from models.online.forks import ASKED, Forest, crossed
from models.online.levels import cut_at
from models.online.vectors import of

TICK = 0.01


def drawn(rng, features):
    """Return a tree at random; where features are few, a path asks one twice."""
    asked = [rng.randrange(features) for _ in range(ASKED)]
    cuts = [rng.choice([NEVER, *range(100, 156)]) for _ in range(ASKED)]
    adds = [0 if cut == NEVER else rng.randint(-100, 100) for cut in cuts]
    return (*asked, *cuts, *adds)


def said(tree, distances):
    """Return what a tree says beyond what it says of the mean."""
    question, total = 0, 0.0
    while question < ASKED:
        far = crossed(distances[tree[question]], cut_at(tree[ASKED + question]))
        total += TICK * tree[2 * ASKED + question] if far else 0.0
        question = 2 * question + (2 if far else 1)
    return total


def by_definition(tree, distances):
    """Let the features leave the mean in each order, and take the mean of what each moves."""
    features = len(distances)
    shares = [0.0] * features
    for order in permutations(range(features)):
        at = [0.0] * features
        before = said(tree, at)
        for feature in order:
            at[feature] = distances[feature]
            shares[feature] += (said(tree, at) - before) / math.factorial(features)
            before = said(tree, at)
    return shares


@pytest.mark.parametrize("features", [1, 2, 3, 4, 5])
def test_shares_are_shapley_values(features):
    rng = random.Random(features)
    for _ in range(400):
        trees = [drawn(rng, features) for _ in range(2)]
        distances = [rng.choice([0.0, rng.gauss(0.0, 1.5)]) for _ in range(features)]
        shares = list(Forest(trees, TICK, []).shared(of(distances)))
        apart = [by_definition(tree, distances) for tree in trees]
        assert shares == pytest.approx([sum(each) for each in zip(*apart, strict=True)], abs=1e-9)
        assert sum(shares) == pytest.approx(sum(said(tree, distances) for tree in trees), abs=1e-9)
