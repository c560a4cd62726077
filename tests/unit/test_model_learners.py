"""Learners: commands in the log, states to go back to, definitions apart, drift alerts, reports."""

import math
import random
from itertools import pairwise

import msgspec
import pytest

from models.judge import Judge
from models.online.contest import START
from models.online.evaluation import WINDOW, Evaluation
from models.online.learner import Lesson, Order, resume
from models.online.learning import DAY_MS, KEPT, REPORT_LEAST, REPORT_MOST
from models.online.learning_binary import REDEFINED
from models.online.seating import seated
from models.online.snapshots import Sight, decode, encode, glance
from models.online.stable import CANDIDATES
from models.population import DEFAULT
from models.population import encode as write_population
from models.records import Command, Example, pack
from models.reports import APART, Report

KEY = b"a secret"
OTHER = next(name for name in CANDIDATES if name != START)


def lesson(offset, day=0.0, label=None, horizon="silence-30/1", chance=0.5, **over):
    rng = random.Random(offset)
    x = {"silence": rng.gauss(0, 1), "visits": rng.gauss(0, 1), "prior_logit": rng.gauss(0, 1)}
    label = float(rng.random() < 0.4) if label is None else label
    example = Example(
        example_id=f"churn:{offset}",
        customer_id="c_1",
        model="churn",
        model_version=0,
        at_ms=int(day * DAY_MS),
        label_ms=int(day * DAY_MS) + 1,
        features=pack(x),
        label=label,
        probability=chance,
        horizon=horizon,
        **over,
    )
    return Lesson(offset, example, x, int(day * DAY_MS) + 5)


def order(offset, action, **given):
    said = {"command_id": f"{offset}", "model": "churn", "at_ms": 7, "by": "kim", "reason": "why"}
    return Order(offset, Command(action=action, **said | given))


def taught(*lessons, model="churn"):
    learner = resume(model)
    learner.learn(lessons)
    return learner


def kinds(learner):
    return [change.kind for change in learner.progress.history]


def test_an_example_is_learnt_by_what_it_says_that_it_counts():
    full, half = (taught(*(lesson(n, weight=w) for n in range(20))) for w in (1.0, 0.5))
    assert full.weights()["bayes"] == half.weights()["bayes"]
    assert full.weights()["crosses"] != half.weights()["crosses"]
    assert full.figures()["served"] == half.figures()["served"]
    assert full.weights() == taught(*(lesson(n) for n in range(20))).weights()


# --- commands


def test_frozen_nothing_is_learnt_and_all_is_judged():
    learner = taught(*(lesson(n) for n in range(30)), order(30, "freeze"))
    before = learner.weights()
    learner.learn([lesson(n) for n in range(31, 51)])
    assert learner.weights() == before
    assert (learner.version, learner.frozen) == (30, True)
    assert learner.figures()["served"].metrics["examples"] == 50
    assert learner.figures()[START].metrics["examples"] == 50
    learner.learn([order(51, "unfreeze"), lesson(52)])
    assert (learner.version, kinds(learner)) == (31, ["frozen", "unfrozen"])


def test_a_reset_forgets_all_but_what_was_served_and_can_be_undone():
    learner = taught(*(lesson(n) for n in range(40)))
    before = learner.weights()
    learner.learn([order(40, "reset"), lesson(41)])
    assert (learner.learnt(), learner.version) == (1, 42)
    assert learner.figures()["served"].metrics["examples"] == 41
    learner.learn([order(42, "rollback", version=40)])
    assert learner.weights() == before
    assert (learner.learnt(), learner.version) == (40, 43)
    learner.learn([order(43, "rollback", version=40), order(44, "reset")])
    learner.learn([order(45, "rollback", version=40)])  # one can go back there again and again
    assert learner.weights() == before
    assert len(set(learner.kept)) == len(learner.progress.kept) == 5


def test_one_can_go_back_to_the_ends_of_the_newest_days():
    learner = taught(*(lesson(n, day=n // 10) for n in range(120)))
    assert sorted(learner.kept) == [10 * day for day in range(12 - KEPT, 12)]
    ninety = taught(*(lesson(n, day=n // 10) for n in range(90))).weights()
    learner.learn([order(120, "rollback", version=90)])
    assert learner.weights() == ninety
    change = learner.progress.history[-1]
    assert (change.before, change.after, change.by, change.reason) == ("120", "90", "kim", "why")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (order(20, "rollback", version=3), "version 3 is not kept"),
        (order(20, "promote", candidate="nobody"), "no candidate 'nobody'"),
        (order(20, "population", population=pack({})), "no fitted parameters"),
    ],
)
def test_what_cannot_be_followed_is_refused_and_written_down(command, said):
    learner = taught(*(lesson(n) for n in range(20)))
    before = learner.weights()
    learner.learn([command])
    assert learner.weights() == before
    assert kinds(learner) == ["refused"]
    assert said in learner.progress.history[0].reason


def test_a_person_may_put_another_candidate_in_its_place():
    learner = taught(*(lesson(n) for n in range(20)), order(20, "promote", candidate=OTHER))
    assert learner.champion == learner.snapshot().champion == OTHER
    change = learner.progress.history[0]
    assert (change.before, change.after, change.by) == (START, OTHER, "kim")


def test_a_command_that_comes_again_is_followed_once():
    learner = taught(*(lesson(n) for n in range(20)), order(20, "freeze"))
    learner.learn([order(20, "freeze"), lesson(5)])
    assert kinds(learner) == ["frozen"]


def test_fitted_parameters_are_served_and_nonsense_is_refused():
    fitted = msgspec.structs.replace(DEFAULT, customers=900, fitted_ms=5)
    given = {"model": "population", "population": msgspec.Raw(write_population(fitted))}
    learner = taught(order(0, "population", **given), model="population")
    sight = glance(encode(learner.snapshot(), KEY), KEY)
    assert seated(Judge.untrained(), sight).population == fitted
    learner.learn([order(1, "population", model="population", population=pack({"customers": 0.5}))])
    assert kinds(learner) == ["fitted", "refused"]
    assert learner.weights()["customers"] == 900


# --- wherever it is cut, the same bytes


def log():
    lessons = [lesson(n, day=n / 9, acted=n % 3 == 0) for n in range(150)]
    for offset, command in (
        (40, order(40, "freeze")),
        (60, order(60, "unfreeze")),
        (90, order(90, "rollback", version=51)),
        (110, order(110, "promote", candidate=OTHER)),
        (130, order(130, "reset")),
    ):
        lessons[offset] = command
    return lessons


def run(cuts):
    """Learn the log in so many parts, read anew from bytes between; return all that came of it."""
    lessons, learner, reports, alerts = log(), resume("churn"), [], []
    size = -(-len(lessons) // cuts)
    for start in range(0, len(lessons), size):
        learner.learn(lessons[start : start + size])
        told = learner.told()
        reports += told.reports
        alerts += told.alerts
        kept = learner.kept
        learner = resume("churn", decode(encode(learner.snapshot(), KEY), KEY), kept)
    return encode(learner.snapshot(), KEY), learner.kept, reports, alerts


@pytest.mark.parametrize("cuts", [3, 10, 75])
def test_commands_states_and_reports_are_the_same_wherever_the_log_is_cut(cuts):
    assert run(cuts) == run(1)
    assert "rolled_back" in [change.kind for one in run(1)[2] for change in one.changes]


def test_a_snapshot_stays_as_it_is_when_its_learner_goes_on():
    learner = taught(*(lesson(n, day=n / 9) for n in range(40)))
    taken, told = learner.snapshot(), learner.told()
    before = encode(taken, KEY), msgspec.json.encode(told.reports)
    learner.learn([*(lesson(n, day=n / 9) for n in range(40, 90)), order(90, "reset")])
    assert (encode(taken, KEY), msgspec.json.encode(told.reports)) == before


# --- definitions


def test_examples_of_another_definition_are_not_learnt_together():
    lessons = [lesson(n, horizon="silence-60/1" if n % 2 else "silence-30/1") for n in range(60)]
    learner = taught(*lessons)
    assert (learner.version, learner.horizon) == (30, "silence-30/1")


def test_when_only_another_definition_comes_the_model_begins_anew_with_it():
    learner = taught(*(lesson(n) for n in range(30)))
    learner.learn([lesson(n, horizon="silence-60/1") for n in range(30, 30 + REDEFINED - 1)])
    assert learner.horizon == "silence-30/1"
    learner.learn([lesson(30 + REDEFINED, horizon="silence-60/1")])
    assert (learner.horizon, learner.learnt()) == ("silence-60/1", 1)
    assert kinds(learner) == ["redefined"]


def test_what_learnt_another_definition_does_not_predict():
    learner = taught(*(lesson(n) for n in range(30)))
    sight = glance(encode(learner.snapshot(), KEY), KEY)
    assert seated(Judge.untrained(), sight).churn.learnt == 30
    assert seated(Judge.untrained(horizon_days=60), sight).churn.learnt == 0
    assert seated(Judge.untrained(), msgspec.structs.replace(sight, model="contract")) is not None


# --- what is told


def test_scorers_read_no_more_than_what_predicts():
    learner = taught(*(lesson(n) for n in range(60)))
    sight = glance(encode(learner.snapshot(), KEY), KEY)
    assert isinstance(sight, Sight)
    served = seated(Judge.untrained(), sight).churn
    x = {"silence": 1.0, "visits": -1.0, "prior_logit": 0.3}
    assert served.chance(x) == pytest.approx(learner.contest.stable.chance(START, x), abs=1e-9)


def test_drift_raises_an_alert_of_the_model_once_and_never_resets_it():
    rng = random.Random(4)
    labels = [float(rng.random() < (0.2 if n < 3_000 else 0.7)) for n in range(5_000)]
    learner = resume("churn")
    learner.learn([order(0, "freeze")])  # it is what was served that drifts: no learning needed
    learner.learn(
        [lesson(n + 1, day=n / 100, label=one, chance=0.2) for n, one in enumerate(labels)]
    )
    told = learner.told()
    opened = told.alerts[0]
    assert (opened.customer_id, opened.rule, opened.status) == (
        *("model:churn", "model_drift"),
        "opened",
    )
    assert opened.alert_id == "model_drift:model:churn:1:opened"
    assert opened.received_ms == opened.at_ms + 4
    [reason] = opened.reasons
    assert reason.value > reason.usual
    assert [one.status for one in told.alerts].count("opened") == 1
    assert "reset" not in kinds(learner)
    assert any(report.drifting for report in told.reports)


def test_reports_come_often_at_first_then_seldom():
    learner = taught(*(lesson(n) for n in range(400)))
    seen = [int(one.figures["served"].metrics["examples"]) for one in learner.told().reports]
    assert seen[:4] == [1, 2, 3, 4]
    assert len(seen) < 30
    gaps = [b - a for a, b in pairwise(seen)]
    assert max(gaps) <= min(REPORT_MOST, 400 // 4)


def test_a_day_s_first_label_brings_a_report_once_enough_is_new():
    learner = taught(*(lesson(n) for n in range(4_000)))
    learner.told()
    since = learner.progress.seen - learner.progress.reported
    later = range(4_000, 4_000 + REPORT_LEAST - since - 1)
    learner.learn([lesson(n, day=1.0) for n in later])
    assert learner.told().reports == []
    learner.learn([lesson(9_000, day=1.0)])
    assert len(learner.told().reports) == 1


def test_a_report_can_be_read_back_and_tells_who_was_acted_on_apart():
    learner = taught(*(lesson(n, acted=n % 4 == 0, chance=0.3) for n in range(40)))
    [*_, report] = learner.told().reports
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report
    counts = {
        name: report.figures[name].metrics["examples"] for name in ("served", "acted", "untouched")
    }
    assert counts == {"served": 33, "acted": 9, "untouched": 24}
    assert {*CANDIDATES} <= report.figures.keys()


def test_what_was_said_of_a_past_is_judged_apart_and_no_drift_is_seen_in_it():
    lessons = [lesson(n, label=float(n % 2), chance=0.5) for n in range(40)]
    wrong = [lesson(n, label=1.0, chance=0.01, past=True) for n in range(40, 400)]
    learner = taught(*lessons, *wrong)
    figures = learner.figures()
    counts = {name: figures[name].metrics["examples"] for name in APART}
    assert counts == {"served": 40, "acted": 0, "untouched": 40, "past": 360}
    assert figures["past"].metrics["log_loss"] > 4 > 1 > figures["served"].metrics["log_loss"]
    assert learner.watch.means() == taught(*lessons).watch.means()
    assert learner.learnt() == 400


def test_the_champion_stands_for_a_model_until_a_label_of_what_was_served_has_come():
    learner = taught(*(lesson(n, past=True) for n in range(40)))
    [*_, report] = learner.told().reports
    assert report.judged_as() == report.champion == START
    assert report.drift == {}  # nothing was watched yet
    learner.learn([lesson(40)])
    learner.learn([order(41, "freeze")])
    [*_, report] = learner.told().reports
    assert report.judged_as() == "served"


def test_lift_is_shared_among_equal_predictions_and_calibration_counts_all():
    evaluation = Evaluation()
    for number in range(100):
        evaluation.update(0.5, float(number < 30))
    assert evaluation.lift() == pytest.approx([1.0] * 10)
    assert evaluation.calibration() == [(100, 0.5, 0.3)]
    sharp = Evaluation()
    for number in range(100):
        sharp.update(0.9 if number < 20 else 0.1, float(number < 20))
    assert sharp.lift() == pytest.approx([5.0, 5.0, *[0.0] * 8])
    wrong = Evaluation()
    for number in range(100):
        wrong.update(0.9 - number / 200, float(number >= 75))
    assert wrong.lift() == pytest.approx([*[0.0] * 7, 2.0, 4.0, 4.0])


@pytest.mark.parametrize("count", [1, 9, 300, WINDOW + 1, 2 * WINDOW + 77])
def test_a_windows_figures_are_those_of_its_newest_examples_rounded_once(count):
    rng = random.Random(count)
    said = [(round(rng.betavariate(0.4, 0.6), 4), float(rng.random() < 0.3)) for _ in range(count)]
    evaluation = Evaluation()
    for chance, label in said:
        evaluation.update(chance, label)
    newest, found = said[-WINDOW:], evaluation.metrics()
    losses = (-math.log(max(p if y else 1.0 - p, 1e-6)) for p, y in newest)
    assert found["log_loss_window"] == math.fsum(losses) / len(newest)
    assert found["brier_window"] == math.fsum((p - y) ** 2 for p, y in newest) / len(newest)
    won = [
        1.0 if high > low else 0.5 if high == low else 0.0
        for high, came in newest
        for low, came_not in newest
        if came and not came_not
    ]
    assert found.get("auc_window") == (sum(won) / len(won) if won else None)
