"""The trees: loops and NumPy grow the same ones."""

import itertools
import json
import math
import random

import pytest

from models.online import boosting, kernels, trees, vectors
from models.online.levels import NEVER
from models.online.trees import Trees


def grown(count, features):
    model, rng = Trees(), random.Random(features)
    for _ in range(count):
        distances = [round(2.0 * rng.gauss(0, 1)) / 2.0 for _ in range(features)]
        rare = rng.random() < 0.02
        distances[0] = 8.0 if rare else distances[0]
        first, last = distances[0], distances[-1]
        likely = rare or (last > 0.0 if first > 0.5 else last < -0.5 or first < -1.0)
        row = vectors.of(distances)
        model.learn_one(row, model.said(row), -0.5, float(rng.random() < 0.1 + 0.8 * likely))
    return model


@pytest.mark.parametrize("features", [1, 3, trees.LOOKED_AT + 2])
def test_loops_and_numpy_grow_the_same_trees(features, monkeypatch):
    """Interpreted: who is compiled has loops alone, and compares them with themselves."""
    monkeypatch.setattr(trees, "MOST", 4)  # so that trees go, too
    told = []
    for compiled in (False, True):
        monkeypatch.setattr(kernels, "COMPILED", compiled)
        model = grown(260, features)
        again = Trees.from_state(json.loads(json.dumps(model.to_state())))
        assert model.trees
        assert list(again._rows.said)[:260] == list(model._rows.said)[:260]
        told.append((model.to_state(), list(model._rows.said)))
    assert told[0] == told[1]


def test_a_tree_parts_the_rows_where_their_labels_part():
    model = grown(600, 2)
    assert all(len(tree) == boosting.QUESTIONS * 2 + boosting.LEAVES for tree in model.trees)
    likely, unlikely = vectors.of([1.5, 1.5]), vectors.of([0.0, 0.5])
    assert model.said(likely) > model.said(unlikely) + boosting.TICKS // 2


def test_a_tree_of_two_levels_that_was_kept_says_what_it_said():
    """Formats 3 to 5 have a root's feature, those below it, their cuts, four leaves."""
    state = grown(600, 2).to_state()
    root, below, reached = 136, 120, NEVER
    state["trees"] = [[0, 1, 0, root, below, reached, 100, 200, 300, 300], state["trees"][0]]
    model = Trees.from_state(state)
    alone = Trees.from_state(state | {"trees": state["trees"][1:]})
    for first, second in itertools.product((-1.0, 0.0, 0.5, 2.0), (-1.0, -0.5, 0.0, 3.0)):
        row = vectors.of([first, second])
        said = model.said(row) - alone.said(row)
        assert said == (300 if first >= 0.5 else 200 if second >= -0.5 else 100)
    went_on, again = (Trees.from_state(json.loads(json.dumps(model.to_state()))) for _ in range(2))
    assert went_on.to_state() == again.to_state() == model.to_state()
    assert list(model._rows.said) != list(alone._rows.said)


def test_three_features_that_only_count_together_are_found():
    model, rng = Trees(), random.Random(31)

    def taught(row):
        return float(rng.random() < (0.9 if all(value > 0.0 for value in row) else 0.1))

    for _ in range(2_000):
        distances = vectors.of([rng.gauss(0, 1) for _ in range(3)])
        model.learn_one(distances, model.said(distances), -1.2, taught(distances))
    # What no sum of pairs can say: the part that changes its sign with each of the three.
    together = sum(
        math.prod(row) * model.said(vectors.of(row))
        for row in itertools.product((-1.0, 1.0), repeat=3)
    )
    assert together > 2 * boosting.TICKS
