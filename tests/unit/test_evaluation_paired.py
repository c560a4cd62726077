"""Two models on the same rows: their difference, and an interval that counts customers."""

import os
import subprocess
import sys
from array import array

import numpy as np
import pytest

from infra.evaluation.paired import Served, auc_difference, log_loss_difference
from infra.evaluation.verdict import verdict
from models.online.prequential import CHAMPION, Row
from models.online.tally import Tally

MEASURES = (auc_difference, log_loss_difference)


def drawn(rng, customers=60, each=3):
    """Rows of customers who each have one label and one mood that both models see."""
    labels = np.repeat((rng.random(customers) < 0.4).astype(float), each)
    moods = np.repeat(rng.normal(size=customers), each)
    keys = np.repeat(np.arange(customers), each)
    ours, theirs = (
        1 / (1 + np.exp(-(labels + moods + noise * rng.normal(size=len(labels)))))
        for noise in (0.5, 1.0)
    )
    return labels, ours, theirs, keys


def one_by_one(labels, chances):
    """Return AUC by looking at each pair."""
    found = [
        1.0 if mine > other else 0.5 if mine == other else 0.0
        for mine in chances[labels == 1]
        for other in chances[labels == 0]
    ]
    return float(np.mean(found))


@pytest.mark.parametrize("decimals", [1, 9])  # with one there are ties
def test_the_difference_is_that_of_all_pairs(decimals):
    labels, ours, theirs, keys = drawn(np.random.default_rng(3))
    ours, theirs = ours.round(decimals), theirs.round(decimals)
    expected = one_by_one(labels, ours) - one_by_one(labels, theirs)
    assert auc_difference(labels, ours, theirs, keys).value == pytest.approx(expected)


def test_the_difference_of_losses_is_that_of_the_figures():
    labels, ours, theirs, keys = drawn(np.random.default_rng(4))
    tallies = Tally(), Tally()
    for tally, chances in zip(tallies, (ours, theirs), strict=True):
        for chance, label in zip(chances, labels, strict=True):
            tally.update(chance, label)
    one, other = (tally.figures()["log_loss"] for tally in tallies)
    assert log_loss_difference(labels, ours, theirs, keys).value == pytest.approx(one - other)


@pytest.mark.parametrize("measure", MEASURES)
def test_its_interval_is_as_wide_as_what_leaving_customers_out_moves(measure):
    """The jackknife over customers, which needs no formula, has nearly the same variance."""
    labels, ours, theirs, keys = drawn(np.random.default_rng(5))
    found = measure(labels, ours, theirs, keys)
    left = []
    for key in np.unique(keys):
        kept = keys != key
        left.append(measure(labels[kept], ours[kept], theirs[kept], keys[kept]).value)
    deviation = np.sqrt((len(left) - 1) * np.var(left))
    assert found.high - found.value == pytest.approx(1.96 * deviation, rel=0.05)


@pytest.mark.parametrize("measure", MEASURES)
def test_it_holds_the_truth_as_often_as_it_says_and_would_not_by_rows(measure):
    rng = np.random.default_rng(6)
    truth = measure(*drawn(rng, customers=40_000)).value
    held = {"customers": 0, "rows": 0}
    for _ in range(300):
        labels, ours, theirs, keys = drawn(rng, each=4)
        # Both err by customer: what tells them apart comes four times.
        theirs = np.repeat(theirs[::4], 4)
        ours = np.repeat(ours[::4], 4)
        for by, names in (("customers", keys), ("rows", np.arange(len(keys)))):
            found = measure(labels, ours, theirs, names)
            held[by] += found.low <= truth <= found.high
    assert 0.90 < held["customers"] / 300 < 0.99
    assert held["rows"] / 300 < 0.85


@pytest.mark.parametrize("measure", MEASURES)
def test_turned_round_it_is_its_opposite_and_none_against_itself(measure):
    labels, ours, theirs, keys = drawn(np.random.default_rng(7))
    one, other = measure(labels, ours, theirs, keys), measure(labels, theirs, ours, keys)
    assert (one.value, one.low) == pytest.approx((-other.value, -other.high))
    assert measure(labels, ours, ours, keys) == (0.0, 0.0, 0.0)


def test_one_class_or_one_customer_tells_nothing():
    chances, keys = np.array([0.2, 0.4]), np.array([1, 2])
    assert auc_difference(np.ones(2), chances, chances, keys) is None
    for measure in MEASURES:
        assert measure(np.array([1.0, 0.0]), chances, chances, np.ones(2, dtype=int)) is None
    assert log_loss_difference(*(np.array([]) for _ in range(4))) is None


def test_chances_of_other_rows_are_refused():
    served = Served(0)
    served.add(Row(0, "a", {}, 1, 1.0), {CHAMPION: 0.5})
    with pytest.raises(ValueError, match="2 chances of 1 rows"):
        served.against(array("d", [0.5, 0.5]))


def test_rows_without_a_key_are_each_its_own():
    served = {"": Served(0), "k": Served(0)}
    for key, one in served.items():
        for at in range(20):
            one.add(Row(at, key, {}, 1, float(at % 2)), {CHAMPION: at / 20})
    chances = array("d", [0.5] * 20)
    assert [one.against(chances)["keys"] for one in served.values()] == [20, 1]
    assert [bool(one.against(chances)["auc"]) for one in served.values()] == [True, False]


PROGRAM = """
from array import array
from infra.evaluation.paired import Served
from models.online.prequential import CHAMPION, Row

served = Served(0)
for n in range(300):
    row = Row(n, f"customer {n * 7 % 41}", {}, n, float(n * 31 % 89 < 40))
    served.add(row, {CHAMPION: n % 17 / 17})
print(served.against(array("d", [n % 13 / 13 for n in range(300)])))
"""


def test_hash_seeds_change_nothing():
    """To the last bit: whose a row is, is summed up in an order that goes by the key alone."""
    told = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in range(4)
    }
    assert len(told) == 1


def report(auc, low, high):
    """A churn report whose champion ranks by `auc` less than the batch model."""
    figures = {"rows": 1_000, "base_rate": 0.4, "ece": 0.01, "ece_by_chance": 0.02,
               "lift_top_tenth": 2.0}  # fmt: skip
    ours = {**figures, "auc": 0.8 + auc, "log_loss": 0.5}
    theirs = {**figures, "auc": 0.8, "log_loss": 0.5}
    none = {"value": 0.0, "low": -0.01, "high": 0.01}
    told = {"auc": {"value": auc, "low": low, "high": high}, "log_loss": none, "keys": 9}
    return {
        "rows": 2_000, "unlabelled": 0, "learnt": 900, "champion": "blend", "champions": [{}],
        "columns": {"delay": None}, "trouble": {"rows_left_out": 0}, "paired": {"batch_lr": told},
        "tested": {"champion": ours, "batch_lr": theirs},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("auc", "low", "high", "words"),
    [
        (-0.001, -0.004, -0.0005, "ranks no worse (AUC"),
        (-0.01, -0.02, 0.001, "ranks not surely worse (95 %: -0.0200 to +0.0010)"),
        (-0.01, -0.015, -0.005, "ranks worse (95 %: -0.0150 to -0.0050)"),
    ],
)
def test_the_verdict_says_worse_only_where_the_interval_does(auc, low, high, words):
    assert words in " ".join(verdict(report(auc, low, high)))
