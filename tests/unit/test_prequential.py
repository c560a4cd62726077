"""Prequential evaluation: nothing is known before its time, and the figures are exact."""

import math
import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.evaluation.pupil import Contestants
from models.online.held import Packer, unpack
from models.online.prequential import CHAMPION, Prequential, Row, Said
from models.online.tally import Tally


class Memory:
    """A pupil that remembers: it predicts a key's last label that it has been taught."""

    champion = "memory"

    def __init__(self):
        self.known = {}
        self.taught = []

    def predict_one(self, row):
        x = row.features
        return Said({"memory": self.known.get(x["who"], 0.5), "half": 0.5}, x)

    def learn_one(self, row, said):
        self.known[said.seen["who"]] = 0.9 if row.label else 0.1
        self.taught.append(row.at)


def row(at, label, label_at=None, who=1.0):
    return Row(at, str(who), {"who": who}, at if label_at is None else label_at, label)


def test_a_label_is_learnt_only_once_its_time_has_come():
    pupil = Memory()
    run = Prequential(pupil)
    assert run.ask(row(0, 1.0, label_at=5))[CHAMPION] == 0.5
    assert run.ask(row(4, 1.0, label_at=50))[CHAMPION] == 0.5
    assert run.ask(row(5, 1.0, label_at=51))[CHAMPION] == 0.9  # due at 5, known at 5
    assert pupil.taught == [0]
    run.close()
    assert (run.rows, run.learnt) == (3, 1)


def test_a_label_known_at_once_is_still_not_known_to_its_own_prediction():
    run = Prequential(Memory())
    assert run.ask(row(0, 1.0))[CHAMPION] == 0.5
    assert run.ask(row(0, 1.0))[CHAMPION] == 0.9


def test_a_row_is_taught_by_what_it_counts_and_tested_in_full():
    found = {}
    for weight in (1.0, 0.5):
        pupil = Contestants()
        run = Prequential(pupil)
        run.run(
            Row(at, "k", {"silence": at % 3.0}, at + 2, float(at % 2), weight) for at in range(40)
        )
        found[weight] = pupil.contest.stable.to_state()
        assert run.report()["whole"][CHAMPION]["rows"] == 40
    assert found[1.0]["bayes"] == found[0.5]["bayes"]
    assert found[1.0]["crosses"] != found[0.5]["crosses"]


def test_labels_are_learnt_in_the_order_in_which_they_become_known():
    pupil = Memory()
    run = Prequential(pupil)
    for at, due in ((0, 9), (1, 3), (2, 9), (3, 4)):
        run.ask(row(at, 1.0, label_at=due))
    run.ask(row(10, 1.0))
    assert pupil.taught == [1, 3, 0, 2]


cells = st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False), st.text(max_size=9))


@given(st.lists(st.dictionaries(st.text(max_size=5), cells, max_size=6), max_size=4))
def test_a_packed_row_comes_out_as_it_was_put_in(rows):
    packer = Packer()
    packed = [packer.pack(one) for one in rows]
    assert [list(unpack(one).items()) for one in packed] == [list(one.items()) for one in rows]


def test_what_waits_for_its_label_takes_little_more_than_its_numbers():
    run, rng = Prequential(Memory()), random.Random(6)

    def ask(count):
        for _ in range(count):
            x = {"who": 1.0, **{f"feature {n}": rng.random() for n in range(20)}}
            run.ask(Row(float(run.rows), "who", x, 1e9, 1.0))

    ask(100)
    tracemalloc.start()
    try:
        ask(1_000)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 800 * 1_000


def test_rows_out_of_order_and_times_that_are_no_numbers_are_refused():
    run = Prequential(Memory())
    run.ask(row(5, 1.0))
    with pytest.raises(ValueError, match="row 2"):
        run.ask(row(4, 1.0))
    with pytest.raises(ValueError, match="row 2"):
        run.ask(row(math.nan, 1.0))


def test_a_row_without_a_label_is_predicted_and_neither_scored_nor_learnt():
    pupil = Memory()
    run = Prequential(pupil)
    run.ask(row(0, None))
    run.ask(row(1, 0.0))
    report = run.report()
    assert (report["rows"], report["unlabelled"]) == (2, 1)
    assert report["whole"][CHAMPION]["rows"] == 1
    assert pupil.taught == []


def test_the_tested_part_begins_where_it_is_told_to():
    run = Prequential(Memory(), tested_from=3)
    run.run(row(at, float(at % 2)) for at in range(10))
    assert run.report()["whole"]["half"]["rows"] == 10
    assert run.report()["tested"]["half"]["rows"] == 7


def test_windows_cover_every_row_once():
    run = Prequential(Memory(), window=4)
    run.run(row(at, float(at % 2)) for at in range(10))
    spans = [(one.first, one.rows, one.begins, one.ends) for one in run.windows]
    assert spans == [(0, 4, 0, 3), (4, 4, 4, 7), (8, 2, 8, 9)]


def test_every_change_of_the_champion_is_kept():
    pupil = Memory()
    run = Prequential(pupil)
    run.ask(row(0, 1.0))
    pupil.champion = "half"
    assert run.ask(row(1, 1.0))[CHAMPION] == 0.5
    assert [(reign.row, reign.candidate) for reign in run.reigns] == [(0, "memory"), (1, "half")]


def pairs(marks):
    """AUC by its definition: pairs won, ties half."""
    came = [p for p, y in marks if y]
    not_ = [p for p, y in marks if not y]
    won = sum((a > b) + (a == b) / 2 for a in came for b in not_)
    return won / (len(came) * len(not_))


def tally_of(marks):
    tally = Tally()
    for p, y in marks:
        tally.update(p, y)
    return tally


@pytest.mark.parametrize("scale", [1.0, 0.01])
def test_the_figures_are_those_of_their_definitions(scale):
    rng = random.Random(3)
    drawn = [rng.random() * scale for _ in range(700)]
    marks = [(p, float(rng.random() < p)) for p in drawn] + [(0.5 * scale, 1.0)] * 20
    figures = tally_of(marks).figures()
    assert figures["auc"] == pytest.approx(pairs(marks), abs=1e-3)
    loss = -sum(math.log(p if y else 1 - p) for p, y in marks) / len(marks)
    assert figures["log_loss"] == pytest.approx(loss)
    assert figures["brier"] == pytest.approx(sum((p - y) ** 2 for p, y in marks) / len(marks))
    gaps = [0.0] * 15
    for p, y in marks:
        gaps[int(p * 15)] += p - y
    assert figures["ece"] == pytest.approx(sum(map(abs, gaps)) / len(marks))


def test_lift_is_the_share_found_in_each_tenth_against_a_tenth():
    marks = [(0.9, 1.0)] * 10 + [(0.2, 0.0)] * 40 + [(0.1, 1.0)] * 10 + [(0.05, 0.0)] * 40
    lift = tally_of(marks).lift()
    assert lift[0] == pytest.approx(5.0)  # half of all in the first tenth
    assert lift[1:5] == pytest.approx([0.0] * 4)
    assert lift[5] == pytest.approx(5.0)
    assert sum(lift) == pytest.approx(10.0)


def test_who_is_equally_likely_is_spread_evenly_over_the_tenths():
    tally = tally_of([(0.3, float(at % 2)) for at in range(100)])
    assert tally.lift() == pytest.approx([1.0] * 10)
    assert tally.auc == 0.5


def test_certainties_and_one_class_do_not_break_the_figures():
    tally = tally_of([(1.0, 1.0), (0.0, 1.0)])
    figures = tally.figures()
    assert figures["auc"] is None
    assert math.isfinite(figures["log_loss"])
    assert Tally().figures() == {"rows": 0}


def test_the_calibration_error_of_a_perfect_model_is_about_what_chance_gives():
    rng = random.Random(5)
    found = []
    for _ in range(20):
        chances = [rng.random() for _ in range(500)]
        tally = tally_of([(p, float(rng.random() < p)) for p in chances])
        found.append((tally.ece, tally.ece_by_chance))
    mean, expected = (sum(part) / 20 for part in zip(*found, strict=True))
    assert mean == pytest.approx(expected, rel=0.2)
