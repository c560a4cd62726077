"""The learner and those who follow it: signed, in log order, nothing learnt twice."""

import json
import math
import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.judge import Judge
from models.online.contest import Contest
from models.online.evaluation import WINDOW, Evaluation, auc
from models.online.signing import SnapshotError, seal
from models.online.snapshots import READ, Snapshot, decode, encode, glance
from models.online.stable import Stable
from models.records import Command, Example, unpack
from models.topics import MODEL_REPORTS
from streams import learn
from streams.judge import Seat
from streams.lane import Batch, Outbox, Record, View
from streams.learn import BYTES_A_SECOND, LOOK, SMALL, TURN, School, pause, rest

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


def learnt(batches, state=None, forgetful=False):
    stored, letters, school = dict(state or {}), Outbox(), School(KEY)
    for one in batches:
        view = View(stored)
        (School(KEY) if forgetful else school).advance(one, view, letters)
        stored |= view.changes
    return stored, letters


def test_how_examples_are_cut_into_batches_changes_no_bit():
    values = [example(n) for n in range(40)]
    whole, _ = learnt([batch(values)])
    cut = [batch(values[:13]), batch(values[13:29], 13), batch(values[29:], 29)]
    assert whole == learnt(cut)[0] == learnt(cut, forgetful=True)[0]
    assert decode(whole[b"churn"], KEY).version == 40


def test_others_may_work_after_every_few_examples_and_nothing_is_written_before_the_last():
    values = [example(n) for n in range(3 * TURN)]
    view, letters = View({}), Outbox()
    steps = School(KEY).steps(batch(values), view, letters)
    for _ in range(3):
        next(steps)
        assert not view.changes
        assert not len(letters)
    assert len(list(steps)) == 1
    assert decode(view.changes[b"churn"], KEY).version == 3 * TURN


def test_examples_that_come_again_are_not_learnt_again():
    values = [example(n) for n in range(20)]
    once, _ = learnt([batch(values)])
    again, _ = learnt([batch([*values[5:], example(20)], 5)], once)
    assert decode(again[b"churn"], KEY).version == 21
    assert decode(again[b"churn"], KEY).offset == 20


def test_a_refused_batch_is_learnt_as_if_it_had_never_been_tried():
    values = [example(n, "offers" if n % 2 else "churn") for n in range(30)]
    first, _ = learnt([batch(values[:10])])
    school = School(KEY)
    school.advance(batch(values[10:30], 10), View(first), Outbox())  # and never acknowledged
    again = View(first)
    school.advance(batch(values[10:20], 10), again, Outbox())
    assert first | again.changes == learnt([batch(values[:20])])[0]


def test_half_a_batch_that_failed_is_not_gone_on_with(monkeypatch):
    values = [example(n) for n in range(20)]
    first, _ = learnt([batch(values[:10])])
    school = School(KEY)
    kept = View(first)
    school.advance(batch(values[10:12], 10), kept, Outbox())
    stored = first | kept.changes
    monkeypatch.setattr(Contest, "learn_one", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        school.advance(batch(values[12:15], 12), View(stored), Outbox())
    monkeypatch.undo()
    after = View(stored)
    school.advance(batch(values[12:20], 12), after, Outbox())
    assert stored | after.changes == learnt([batch(values)])[0]


def test_nothing_new_writes_nothing():
    values = [example(n) for n in range(3)]
    once, _ = learnt([batch(values)])
    view = View(once)
    School(KEY).advance(batch(values), view, Outbox())
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
        School(b"another secret").advance(batch([example(1)], 1), View(once), Outbox())


def test_every_changed_byte_of_a_snapshot_is_noticed():
    signed = encode(Snapshot(model="churn", version=1, offset=2, state={"learnt": 1}), KEY)
    assert [json.loads(line)["snapshot"].get("version") for line in signed.splitlines()] == [
        1,
        None,
    ]
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


def test_two_lines_that_are_not_of_one_snapshot_are_refused():
    first, second = (
        encode(Snapshot(model="churn", version=version, offset=2), KEY).split(b"\n")
        for version in (1, 2)
    )
    assert decode(b"\n".join(first), KEY).version == 1
    with pytest.raises(SnapshotError, match="two lines"):
        decode(first[0] + b"\n" + second[1], KEY)
    for part in first:
        with pytest.raises(SnapshotError):
            decode(part, KEY)


def test_scorers_need_nothing_of_what_is_the_learners_alone():
    signed = encode(Snapshot(model="churn", version=1, offset=2, state={"large": "x"}), KEY)
    first, _, _ = signed.partition(b"\n")
    assert glance(first, KEY) == glance(signed, KEY) == glance(first + b"\njunk", KEY)
    assert b"large" not in first


@pytest.mark.parametrize("number", READ[:-1])
def test_a_snapshot_of_one_line_as_it_was_written_before_goes_on_bit_for_bit(number):
    values = [example(n) for n in range(60)]
    before, _ = learnt([batch(values[:40])])
    told = msgspec.structs.replace(decode(before[b"churn"], KEY), format=number)
    old = seal(msgspec.json.encode(told), KEY)
    assert decode(old, KEY) == told
    assert glance(old, KEY).served == told.served
    assert learnt([batch(values[40:], 40)], {b"churn": old})[0] == learnt([batch(values)])[0]


def test_nothing_is_signed_without_a_secret():
    with pytest.raises(SnapshotError, match="no snapshot secret"):
        encode(Snapshot(model="churn", version=1, offset=2, state={}), b"")


def seat_after(*values):
    seat = Seat(Judge.untrained(), KEY)
    for offset, value in enumerate(values):
        seat.note(Record(offset, b"churn", value))
    return seat


def test_a_follower_predicts_as_the_learner_would():
    stored, _ = learnt([batch([example(n) for n in range(400)])])
    stable = Stable()
    for number in range(400):
        made = msgspec.json.decode(example(number), type=Example)
        stable.learn_one(unpack(made.features), made.label)
    x = {"silence": 2.2, "visits": 1.0}
    champion = decode(stored[b"churn"], KEY).champion
    predicted = seat_after(stored[b"churn"]).current().churn.chance(x)
    assert predicted == pytest.approx(stable.chance(champion, x), abs=1e-9)


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


pairs = st.lists(st.tuples(st.integers(0, 12).map(lambda n: n / 10 - 0.1), st.sampled_from([0, 1])))


@given(pairs)
def test_the_area_under_the_curve_is_exact(pairs):
    evaluation = Evaluation()
    for chance, truth in pairs:
        evaluation.update(chance, truth)
    told = [(min(1.0, max(0.0, p)), y) for p, y in pairs]
    won = [(p > q) + (p == q) / 2 for p, y in told if y for q, z in told if not z]
    assert auc(evaluation.window) == (sum(won) / len(won) if won else None)


def test_the_figures_are_the_plain_formulas():
    rng, evaluation = random.Random(3), Evaluation()
    told = [(round(rng.random(), 4), int(rng.random() < 0.3)) for _ in range(700)]
    for chance, truth in told:
        evaluation.update(chance, truth)
    found = evaluation.metrics()
    loss = [-math.log(max(p if y else 1 - p, 1e-6)) for p, y in told]
    gaps = [abs(sum(p - y for p, y in told if min(int(p * 15), 14) == one)) for one in range(15)]
    assert found["log_loss"] == pytest.approx(sum(loss) / 700, abs=1e-12)
    assert found["log_loss_window"] == pytest.approx(sum(loss) / 700, abs=1e-12)
    assert found["brier_window"] == pytest.approx(
        sum((p - y) ** 2 for p, y in told) / 700, abs=1e-12
    )
    assert found["ece_window"] == pytest.approx(sum(gaps) / 700, abs=1e-12)
    assert found["base_rate_window"] == sum(y for _, y in told) / 700


def test_the_window_forgets_and_the_totals_do_not():
    evaluation = Evaluation()
    for number in range(WINDOW + 500):
        evaluation.update(0.8, float(number >= 500))
    metrics = evaluation.metrics()
    assert (metrics["examples"], metrics["base_rate_window"]) == (WINDOW + 500, 1.0)
    assert metrics["brier"] > metrics["brier_window"]
    assert Evaluation.from_state(json.loads(json.dumps(evaluation.to_state()))).metrics() == metrics


DAY_MS = 86_400_000


def daily(count, a_day=4):
    return [
        example(n, at_ms=0, label_ms=n // a_day * DAY_MS + n, features={"silence": n % 7 / 2})
        for n in range(count)
    ]


def test_earlier_states_are_stored_beside_the_model_and_the_oldest_forgotten():
    stored, _ = learnt([batch([value], at) for at, value in enumerate(daily(48))])
    kept = {key for key, value in stored.items() if key != b"churn" and value is not None}
    assert kept == {f"churn@{4 * day}".encode() for day in range(5, 12)}
    assert {key for key, value in stored.items() if value is None} == {
        f"churn@{4 * day}".encode() for day in range(1, 5)
    }


def test_an_earlier_state_goes_only_when_the_snapshot_does_without_it():
    first, _ = learnt([batch(daily(32))])
    view = View(first)
    School(KEY).advance(batch(daily(33)[32:], 32), view, Outbox())
    written = list(view.changes)
    assert written == [b"churn@32", b"churn", b"churn@4"]
    assert view.changes[b"churn@4"] is None


def command(action, **given):
    made = {"command_id": "1", "model": "churn", "at_ms": 1, "by": "kim", "reason": "why"}
    return msgspec.json.encode(Command(action=action, **made | given))


def test_a_rollback_finds_its_state_however_the_log_is_cut():
    values = [*daily(30), command("rollback", version=24), *daily(40)[30:]]
    whole, _ = learnt([batch(values)])
    cut = [batch(values[:30]), batch(values[30:31], 30), batch(values[31:], 31)]
    there = {key: value for key, value in learnt(cut, forgetful=True)[0].items() if value}
    assert there == {key: value for key, value in whole.items() if value}
    assert decode(whole[b"churn"], KEY).progress.history[-1].kind == "rolled_back"


def test_a_follower_takes_no_earlier_state_for_the_model():
    stored, _ = learnt([batch(daily(20))])
    seat = seat_after(stored[b"churn"])
    seat.note(Record(9, b"churn@8", stored[b"churn@8"]))
    assert (seat.current().churn.learnt, seat.refused) == (20, 0)


def test_reports_go_out_with_what_the_learner_saw():
    _, outbox = learnt([batch(daily(12))])
    told = [one for one in outbox.messages if one.topic is MODEL_REPORTS]
    assert {one.key for one in told} == {b"churn"}
    assert json.loads(told[-1].value)["model"] == "churn"


def test_after_few_records_the_learner_waits_for_what_it_wrote_and_after_many_it_does_not():
    for count, waits in ((SMALL - 1, True), (SMALL, False)):
        one, view = batch([example(n) for n in range(count)]), View({})
        School(KEY).advance(one, view, Outbox())
        size = sum(len(value) for value in view.changes.values())
        assert pause(one, view) == (size / BYTES_A_SECOND if waits else 0.0)
    assert pause(batch([b"junk"]), View({})) == 0.0


def test_a_command_to_no_model_of_ours_is_buried():
    _, letters = learnt([batch([command("freeze", model="nobody")])])
    assert b"unknown_type" in dict(letters.messages[0].headers).values()


async def test_who_wrote_for_few_rests_no_longer_than_until_many_wait(monkeypatch):
    slept, waiting = [], [0, SMALL - 1, SMALL]

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr(learn.asyncio, "sleep", sleep)
    place = (learn.app.prefix + "examples", 0)
    monkeypatch.setattr(learn.app, "lags", lambda: {place: waiting.pop(0)})
    await rest(batch([b"junk"]), 60.0)
    assert (slept, waiting) == ([LOOK] * 2, [])
    monkeypatch.setattr(learn.app, "lags", dict)
    await rest(batch([b"junk"]), 2.5 * LOOK)
    assert sum(slept[2:]) == pytest.approx(2.5 * LOOK)
    await rest(batch([b"junk"]), 0.0)
    assert len(slept) == 5
