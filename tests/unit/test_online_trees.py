"""The trees: loops and NumPy grow the same ones."""

import json
import random

import pytest

from models.online import boosting, kernels, trees, vectors
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
    assert all(len(tree) == 10 for tree in model.trees)
    likely, unlikely = vectors.of([1.5, 1.5]), vectors.of([0.0, 0.5])
    assert model.said(likely) > model.said(unlikely) + boosting.TICKS // 2
