"""The law of honest learning, on a slice of real purchases: better than the prior, and no leak."""

import random

import pytest

from models.online.prequential import CHAMPION, Row
from tests.evaluation.measure import prequential
from tests.evaluation.sets import cdnow

CUSTOMERS = 350


@pytest.fixture(scope="module")
def points() -> list[Row]:
    """Decision points of a few customers of CDNOW, labels HORIZON days late."""
    return cdnow.points(third=True, customers=CUSTOMERS, refitted=False)


@pytest.fixture(scope="module")
def tested(points):
    return prequential(points, encoded=True).report()["tested"]


def test_what_serves_is_no_worse_than_the_lifetime_prior(tested):
    assert tested[CHAMPION]["rows"] > 2_000
    assert tested[CHAMPION]["auc"] > tested["prior"]["auc"] - 0.005
    assert tested[CHAMPION]["log_loss"] < tested["prior"]["log_loss"] + 0.003


def test_what_serves_means_what_it_says(tested):
    assert tested[CHAMPION]["ece"] < 0.04


def test_from_labels_that_mean_nothing_nothing_is_learnt(points):
    labels = [row.label for row in points]
    random.Random(7).shuffle(labels)
    rows = [row._replace(label=label) for row, label in zip(points, labels, strict=True)]
    tested = prequential(rows, encoded=True).report()["tested"]
    assert abs(tested[CHAMPION]["auc"] - 0.5) < 0.03


def test_a_label_that_is_late_for_ever_is_never_learnt_from(points):
    """The last label that a customer got is a feature; it helps only once it can be known."""
    known, late = ([], [])
    newest: dict[str, float] = {}
    for row in points:
        x = {"at_once": newest.get(row.key, 0.5)}
        newest[row.key] = row.label
        known.append(row._replace(features=x, label_at=row.at))
        late.append(row._replace(features=x, label_at=float("inf")))
    assert prequential(known, encoded=True).report()["tested"][CHAMPION]["auc"] > 0.6
    unlearnt = prequential(late, encoded=True).report()
    assert unlearnt["learnt"] == 0
    assert unlearnt["tested"][CHAMPION]["auc"] == 0.5


def test_the_same_rows_give_the_same_figures(points):
    rows = points[:1_500]
    assert prequential(rows, encoded=True).report() == prequential(rows, encoded=True).report()
