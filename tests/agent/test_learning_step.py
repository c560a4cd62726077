"""The learner and those who follow it: signed, in log order, nothing learnt twice."""

import json

import msgspec
import pytest

from models.judge import Judge
from models.online.churn import ChurnModel
from models.online.evaluation import WINDOW, Evaluation, auc
from models.online.snapshots import Snapshot, SnapshotError, decode, encode
from models.records import Example, unpack
from streams.judge import Seat
from streams.lane import Batch, Outbox, Record, View
from streams.learn import advance

KEY = b"a secret"


def example(number, model="churn", **over):
    made = {
        "example_id": f"{model}:{number}",
        "customer_id": "c_1",
        "model": model,
        "model_version": 0,
        "at_ms": number,
        "label_ms": number + 1,
        "features": {"silence": number % 7 / 2, "visits": number % 3},
        "label": float(number % 7 > 3),
        "probability": 0.5 + number % 5 / 10,
        "arm": "coupon" if model == "offers" else None,
    }
    return msgspec.json.encode(Example(**made | over))


def batch(values, start=0):
    records = [Record(start + at, b"churn", value) for at, value in enumerate(values)]
    return Batch("examples", 0, tuple(records))


def learnt(batches, state=None):
    stored, letters = dict(state or {}), Outbox()
    for one in batches:
        view = View(stored)
        advance(one, view, letters, KEY)
        stored |= view.changes
    return stored, letters


def test_how_examples_are_cut_into_batches_changes_no_bit():
    values = [example(n) for n in range(40)]
    whole, _ = learnt([batch(values)])
    parts, _ = learnt([batch(values[:13]), batch(values[13:29], 13), batch(values[29:], 29)])
    assert whole == parts
    assert decode(whole[b"churn"], KEY).version == 40


def test_examples_that_come_again_are_not_learnt_again():
    values = [example(n) for n in range(20)]
    once, _ = learnt([batch(values)])
    again, _ = learnt([batch([*values[5:], example(20)], 5)], once)
    assert decode(again[b"churn"], KEY).version == 21
    assert decode(again[b"churn"], KEY).offset == 20


def test_nothing_new_writes_nothing():
    values = [example(n) for n in range(3)]
    once, _ = learnt([batch(values)])
    view = View(once)
    advance(batch(values), view, Outbox(), KEY)
    assert view.changes == {}


def test_two_models_on_one_partition_do_not_disturb_each_other():
    mixed = [example(n, "offers" if n % 2 else "churn") for n in range(20)]
    stored, _ = learnt([batch(mixed)])
    assert {key: decode(value, KEY).version for key, value in stored.items()} == {
        b"churn": 10,
        b"offers": 10,
    }


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, b"empty"),
        (b"", b"empty"),
        (b"{", b"bad_field"),
        (b'{"model": "churn"}', b"bad_field"),
        (example(1, "unknown"), b"unknown_type"),
        (example(1, features=[1.0]), b"bad_field"),
        (example(1, features={"silence": "long"}), b"bad_field"),
    ],
)
def test_an_example_nobody_can_read_is_buried_and_the_rest_learnt(value, reason):
    stored, letters = learnt([batch([example(0), value, example(2)])])
    assert decode(stored[b"churn"], KEY).version == 2
    assert reason in dict(letters.messages[0].headers).values()
    assert letters.messages[0].value == value


def test_a_state_signed_by_another_stops_the_learner():
    once, _ = learnt([batch([example(0)])])
    with pytest.raises(SnapshotError, match="signature"):
        advance(batch([example(1)], 1), View(once), Outbox(), b"another secret")


def test_every_changed_byte_of_a_snapshot_is_noticed():
    signed = encode(Snapshot(model="churn", version=1, offset=2, state={"learnt": 1}), KEY)
    assert json.loads(signed)["snapshot"]["version"] == 1
    for at in range(len(signed)):
        bent = bytearray(signed)
        bent[at] ^= 1
        with pytest.raises(SnapshotError):
            decode(bytes(bent), KEY)


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"{}",
        b"x" * 500,
        encode(Snapshot(model="churn", version=1, offset=2, state={}, format=99), KEY),
    ],
)
def test_what_is_no_snapshot_of_ours_is_refused(junk):
    with pytest.raises(SnapshotError):
        decode(junk, KEY)


def test_nothing_is_signed_without_a_secret():
    with pytest.raises(SnapshotError, match="no snapshot secret"):
        encode(Snapshot(model="churn", version=1, offset=2, state={}), b"")


def seat_after(*values):
    seat = Seat(Judge.untrained(), KEY)
    for offset, value in enumerate(values):
        seat.note(Record(offset, b"churn", value))
    return seat


def test_a_follower_predicts_as_the_learner_would():
    stored, _ = learnt([batch([example(n) for n in range(2_000)])])
    model = ChurnModel()
    for number in range(2_000):
        made = msgspec.json.decode(example(number), type=Example)
        model.learn_one(unpack(made.features), made.label)
    x = {"silence": 2.2, "visits": 1.0}
    assert seat_after(stored[b"churn"]).current().churn.chance(x) == model.chance(x)


def test_a_follower_keeps_its_model_when_a_snapshot_is_not_ours():
    good = learnt([batch([example(n) for n in range(5)])])[0][b"churn"]
    seat = seat_after(good)
    assert seat.current().churn.learnt == 5
    seat.note(Record(9, b"churn", good.replace(b'"version":5', b'"version":6')))
    assert (seat.current().churn.learnt, seat.refused) == (5, 1)


def test_the_judge_changes_only_when_a_model_does():
    seat = seat_after()
    before = seat.current()
    assert seat.current() is before
    seat.note(Record(0, b"churn", None))
    assert seat.current() is before


def test_predictions_are_judged_by_what_was_predicted_then():
    stored, _ = learnt([batch([example(n, probability=0.9, label=1.0) for n in range(10)])])
    metrics = decode(stored[b"churn"], KEY).metrics
    assert metrics["brier"] == pytest.approx(0.01)
    assert metrics["ece_window"] == pytest.approx(0.1)
    assert "auc_window" not in metrics


def test_the_area_under_the_curve_is_exact():
    pairs = [(0.1, 0), (0.4, 0), (0.35, 1), (0.8, 1), (0.4, 1)]
    evaluation = Evaluation()
    for chance, truth in pairs:
        evaluation.update(chance, truth)
    won = [(p > q) + (p == q) / 2 for p, y in pairs if y for q, z in pairs if not z]
    assert auc(evaluation.window) == sum(won) / len(won)


def test_the_window_forgets_and_the_totals_do_not():
    evaluation = Evaluation()
    for number in range(WINDOW + 500):
        evaluation.update(0.8, float(number >= 500))
    metrics = evaluation.metrics()
    assert (metrics["examples"], metrics["base_rate_window"]) == (WINDOW + 500, 1.0)
    assert metrics["brier"] > metrics["brier_window"]
    assert Evaluation.from_state(json.loads(json.dumps(evaluation.to_state()))).metrics() == metrics
