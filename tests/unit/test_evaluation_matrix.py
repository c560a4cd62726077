"""Rows held as columns for batch models: what comes out is what was put in."""

import numpy as np
import pytest

from infra.evaluation.batch import Batch
from infra.evaluation.matrix import Matrix
from models.online.prequential import Row

ROWS = [
    Row(0.0, "", {"paid": 3, "plan": "gold"}, 5.0, 1.0),
    Row(1.0, "", {"plan": None, "called": True}, 1.0, None),
    Row(2.0, "", {"paid": None, "called": False, "plan": "?"}, 2.5, 0.0),
    Row(3.0, "", {"paid": 1.5, "plan": "tin", "late": "yes"}, 3.0, 1.0),
]


def test_what_a_row_does_not_have_is_missing_wherever_its_column_began():
    held = Matrix(iter(ROWS))
    assert (held.names, held.texts) == (["called", "paid"], ["late", "plan"])
    frame = held.frame(np.arange(4), [0, 1])
    np.testing.assert_array_equal(frame["called"], [np.nan, 1.0, 0.0, np.nan])
    np.testing.assert_array_equal(frame["paid"], [3.0, np.nan, np.nan, 1.5])
    assert list(frame["plan"]) == ["gold", "?", "?", "tin"]
    assert list(frame["late"]) == ["?", "?", "?", "yes"]


def test_times_and_labels_stand_by_row_and_one_that_never_came_is_missing():
    held = Matrix(iter(ROWS))
    np.testing.assert_array_equal(held.at, [0.0, 1.0, 2.0, 3.0])
    np.testing.assert_array_equal(held.known, [5.0, 1.0, 2.5, 3.0])
    np.testing.assert_array_equal(held.labels, [1.0, np.nan, 0.0, 1.0])


def test_columns_that_are_empty_in_these_rows_are_not_seen():
    held = Matrix(iter(ROWS))
    assert held.seen(np.array([0, 3])) == [1]
    assert held.seen(np.array([1])) == [0]


def test_a_column_that_turns_out_to_hold_texts_is_one_of_texts_from_the_start():
    cells = [1.0, None, "b", 1, True]
    rows = [Row(float(at), "", {"x": cell}, 0.0, 0.0) for at, cell in enumerate(cells)]
    held = Matrix(rows)
    assert (held.names, held.texts) == ([], ["x"])
    assert list(held.frame(np.array([0, 1, 2, 3, 4]), [])["x"]) == ["1.0", "?", "b", "1.0", "1.0"]


def test_batch_models_learn_no_label_that_was_not_known_by_then():
    pytest.importorskip("sklearn")
    # A label is what its row says; all of the first part are known only after the test began.
    late = [
        Row(float(at), "", {"x": at % 2}, 1e6 if at < 200 else float(at), float(at % 2))
        for at in range(400)
    ]
    at_once = [row._replace(label_at=row.at) for row in late]
    blind = Batch(iter(late)).compare(200, [])["batch_lr_once"].figures()
    seeing = Batch(iter(at_once)).compare(200, [])["batch_lr_once"].figures()
    assert blind["log_loss"] == pytest.approx(np.log(2))
    assert seeing["log_loss"] < 0.1
