"""One suite for every candidate that predicts a yes or no: what the stream takes for granted.

The offer model's is in `test_offer_models.py`.
"""

import itertools
import json
import math
import os
import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from river import optim
from river.linear_model import LogisticRegression
from river.preprocessing import StandardScaler

from models import places
from models.online import bayes, collapse, crosses, levels, served, trees, vectors
from models.online.blend import BOLD, CAUTIOUS, Blend
from models.online.boosting import LEAVES, QUESTIONS, TICKS
from models.online.forks import Forest
from models.online.logit import LEARNING_RATE, Weight
from models.online.posterior import Posterior, mode
from models.online.river_pipeline import INTERCEPT_RATE
from models.online.scaling import LIMIT, MOST, log_loss, sigmoid
from models.online.served import Served
from models.online.shares import BASE, CROSS_SPREAD, PRIOR, PRIOR_LIMIT, SPREAD, hinge
from models.online.stable import CANDIDATES, Stable
from models.online.stacking import LEAST, START, Stack
from models.online.trees import Trees
from models.online.vectors import of

LEARNING = tuple(name for name in CANDIDATES if name != "prior")
HOSTILE = [
    *(
        math.nan,
        math.inf,
        -math.inf,
        1e308,
        -1e308,
        "text",
        None,
        True,
        10**30,
        10**400,
        -(10**400),
    ),
]


@pytest.fixture(params=CANDIDATES)
def candidate(request):
    return request.param


def examples(count, seed=7):
    """Yield examples with a bend (silence), an interaction (visits x nps) and a prior."""
    rng = random.Random(seed)
    for _ in range(count):
        x = {
            "silence": rng.random() * 3,
            "visits": rng.random() * 4,
            PRIOR: rng.gauss(0, 1),
        }
        if rng.random() < 0.5:
            x["nps"] = rng.random()
        logit = 2 * x["silence"] - 1.5 + 2 * (x["visits"] - 2) * (x.get("nps", 0.5) - 0.5)
        yield x, float(rng.random() < sigmoid(logit))


def taught(count=300, seed=7):
    stable = Stable()
    for x, y in examples(count, seed):
        stable.learn_one(x, y)
    return stable


def through_json(stable):
    return Stable.from_state(json.loads(json.dumps(stable.to_state())))


SOME = {count: taught(count) for count in (0, 1, 2, 700, 3_000)}


def test_untrained_it_is_the_prior_and_without_one_a_toss(candidate):
    stable = Stable()
    expected = 0.5 if candidate == "river" else sigmoid(1.3)
    assert stable.chance(candidate, {PRIOR: 1.3, "silence": 2.0}) == pytest.approx(expected)
    assert stable.chance(candidate, {}) == 0.5


def test_what_is_served_untrained_is_the_prior():
    assert Served.untrained().chance({PRIOR: 1.3, "silence": 2.0}) == sigmoid(1.3)
    assert Served.untrained().explain_one({PRIOR: 1.3}) == {BASE: 0.0, PRIOR: 1.3}
    assert Served.untrained().card.usual(places.SILENCE) is None


def test_an_unknown_candidate_is_a_key_error():
    with pytest.raises(KeyError):
        Stable().chance("unheard of", {})
    with pytest.raises(KeyError):
        Stable().served("unheard of")


@pytest.mark.parametrize("count", SOME)
def test_learning_tells_what_was_said_before_it(count):
    stable = through_json(SOME[count])
    for x, y in examples(50, seed=3):
        before = {name: stable.chance(name, x) for name in CANDIDATES}
        assert stable.learn_one(x, y) == before


@pytest.mark.parametrize("count", SOME)
def test_what_counts_in_full_is_learnt_as_ever(count):
    whole, weighted = through_json(SOME[count]), through_json(SOME[count])
    for x, y in examples(300, seed=3):
        assert weighted.learn_one(x, y, 1.0) == whole.learn_one(x, y)
    assert weighted.to_state() == whole.to_state()


@pytest.mark.parametrize("count", [0, 2, 700])
@pytest.mark.parametrize("label", [0.0, 1.0])
def test_what_counts_less_moves_products_and_the_blend_less_and_others_the_same(count, label):
    x = {"silence": 2.5, "visits": 3.0, PRIOR: 0.2}
    moved, states = {}, []
    for weight in (1 / 32, 0.5, 1.0):
        stable = through_json(SOME[count])
        stable.learn_one(x, label, weight)
        moved[weight] = stable.chances(x)
        states.append(stable.to_state())
    for candidate in ("prior", "logit", "bayes", "trees", "river"):
        assert len({one[candidate] for one in moved.values()}) == 1
    ascending = sorted(one["crosses"] for one in moved.values())
    assert [one["crosses"] for one in moved.values()] == ascending[:: 1 if label else -1]
    assert len(set(ascending)) == 3
    for part in ("cautious", "bold", "calibration"):
        assert len({json.dumps(one["blend"][part]) for one in states}) == 3


@given(st.floats(-5, 5), st.sampled_from([0.0, 1.0]), st.floats(1 / 32, 1.0))
def test_an_example_that_counts_less_tells_less(logit, label, weight):
    known = {}
    for counted in (weight, 1.0):
        known[counted] = Posterior(0.0, [0.3, 0.1])
        known[counted].learn_one(vectors.of([1.0, 2.0]), logit, label, counted)
    part, whole = known[weight], known[1.0]
    for mean, full in zip(part.weights(), whole.weights(), strict=True):
        assert 0.0 < mean / full <= 1.0
    assert np.all(np.diag(part.covariance) >= np.diag(whole.covariance))


def test_half_an_example_twice_is_one_of_it():
    halves, whole = Posterior(0.0, [0.01]), Posterior(0.0, [0.01])
    whole.learn_one(vectors.of([1.0]), 0.0, 1.0)
    for _ in range(2):
        halves.learn_one(vectors.of([1.0]), halves.weights()[0], 1.0, 0.5)
    assert halves.weights()[0] == pytest.approx(whole.weights()[0], rel=1e-2)
    assert halves.covariance[0, 0] == pytest.approx(whole.covariance[0, 0], rel=1e-4)


def test_it_leaves_the_features_alone():
    stable, x = taught(), {"silence": 1.0, "bad": math.nan, PRIOR: 0.4}
    before = repr(x)
    stable.chances(x)
    stable.learn_one(x, 1.0)
    stable.served("blend").explain_one(x)
    assert repr(x) == before


def test_predicting_and_serving_change_nothing(candidate):
    stable = through_json(SOME[700])
    before = json.dumps(stable.to_state())
    for x, _ in examples(50, seed=2):
        stable.chance(candidate, {**x, "never seen": 3.0})
        stable.served(candidate).chance({**x, "never seen": 3.0})
    assert json.dumps(stable.to_state()) == before


@pytest.mark.parametrize("count", SOME)
def test_a_restored_snapshot_goes_on_bit_for_bit(count):
    whole, half = taught(count), through_json(SOME[count])
    for x, y in examples(300, seed=3):
        assert half.learn_one(x, y) == whole.learn_one(x, y)
    assert json.dumps(half.to_state()) == json.dumps(whole.to_state())


@pytest.mark.parametrize("count", SOME)
def test_what_is_served_predicts_what_the_candidate_says(candidate, count):
    stable = SOME[count]
    carried = served.decode(served.encode(stable.served(candidate)))
    assert carried == stable.served(candidate)
    assert (carried.candidate, carried.learnt) == (candidate, count)
    for x, _ in examples(100, seed=4):
        assert carried.chance(x) == pytest.approx(stable.chance(candidate, x), abs=1e-9)


values = st.one_of(st.floats(-5, 5), st.floats(), st.integers(), st.sampled_from(HOSTILE))
NAMES = ("silence", "visits", PRIOR, "nps", "never seen")


@pytest.mark.parametrize("count", [1, 700, 3_000])
@given(st.dictionaries(st.sampled_from(NAMES), values))
def test_what_is_served_does_so_whatever_the_values(count, x):
    for name, expected in SOME[count].chances(x).items():
        assert math.isfinite(expected)
        assert SERVED[count, name].chance(x) == pytest.approx(expected, abs=1e-9)


SERVED = {(n, name): stable.served(name) for n, stable in SOME.items() for name in CANDIDATES}


def test_features_may_come_and_go(candidate):
    stable = taught()
    stable.learn_one({"new": 1.0}, 1.0)
    stable.learn_one({}, 0.0)
    stable.learn_one({"silence": 2.0}, 1.0)
    assert 0.0 < stable.chance(candidate, {"new": 2.0, "visits": 1.0}) < 1.0


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda value: str(value)[:12])
def test_a_hostile_value_neither_crashes_nor_poisons(hostile):
    clean, hurt = through_json(SOME[700]), through_json(SOME[700])
    for _ in range(3):
        bad = {"silence": hostile, "visits": 1.0, PRIOR: hostile, "nps": hostile}
        hurt.chances(bad)
        hurt.learn_one(bad, 1.0)
    for x, y in examples(600, seed=4):
        clean.learn_one(x, y)
        hurt.learn_one(x, y)
    for x, _ in examples(50, seed=5):
        usual, after = clean.chances(x), hurt.chances(x)
        for name in CANDIDATES:
            assert after[name] == pytest.approx(usual[name], abs=0.25), name
    text = json.dumps(hurt.to_state())
    assert "NaN" not in text
    assert "Infinity" not in text


def test_labels_that_are_turned_round_are_got_over():
    """Somebody's wrong labels, a thousand of them: the right ones win again."""
    stable = through_json(SOME[3_000])
    for x, y in examples(1_000, seed=8):
        stable.learn_one(x, 1.0 - y)
    for x, y in examples(4_000, seed=9):
        stable.learn_one(x, y)
    for name in LEARNING:
        assert stable.chance(name, {"silence": 2.9}) > stable.chance(name, {"silence": 0.1}), name
        assert loss(stable, name, seed=10) < 0.62, name


def loss(stable, candidate, seed, count=500):
    told = [
        stable.chance(candidate, x) if y else 1.0 - stable.chance(candidate, x)
        for x, y in examples(count, seed)
    ]
    return -sum(map(math.log, told)) / count


def test_endless_new_names_do_not_make_it_grow_for_ever():
    stable = taught()
    for number in range(16 * MOST):  # by then the trees' examples are as many as are kept
        stable.learn_one({f"made up {number}": 1.0, "silence": 1.0}, float(number % 2))
    size = len(json.dumps(stable.to_state()))
    for number in range(16 * MOST, 20 * MOST):
        stable.learn_one({f"made up {number}": 1.0, "silence": 1.0}, float(number % 2))
    state = stable.to_state()
    assert len(json.dumps(state)) < 1.1 * size
    assert len(state["scaler"]["counts"]) == MOST >= len(state["river"]["weights"])
    for posterior in (stable.bayes.slow, stable.bayes.fast):
        assert len(posterior.means) == 1 + bayes.TERMS
    assert len(stable.crosses.posterior.means) <= 1 + bayes.TERMS + crosses.MOST


PROGRAM = """
import json
from models.online.stable import Stable
stable = Stable()
for n in range(600):
    x = {name: (n * step % 97) / 97 for step, name in enumerate("silence visits nps".split(), 5)}
    stable.learn_one(x, float(n * 31 % 89 < 40 * x["silence"]))
print(json.dumps([stable.to_state(), stable.served("blend").terms]))
"""


def test_hash_seeds_change_nothing():
    told = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(told) == 1


def test_the_version_counts_the_examples():
    assert Stable().learnt == 0
    assert taught(25).learnt == 25


@pytest.mark.parametrize("name", LEARNING)
def test_it_learns_what_there_is_to_learn(name):
    stable = SOME[3_000]
    assert stable.chance(name, {"silence": 2.9}) > stable.chance(name, {"silence": 0.1}) + 0.3


def test_without_a_prior_the_rate_of_labels_is_learnt():
    stable, rng = Stable(), random.Random(3)
    for _ in range(3_000):
        stable.learn_one({"nothing": rng.gauss(0, 1)}, float(rng.random() < 0.02))
    for name in (*START, "blend"):  # River's intercept takes longer
        assert stable.chance(name, {"nothing": 0.0}) == pytest.approx(0.02, abs=0.01), name


# Reasons.


@given(st.dictionaries(st.sampled_from(NAMES), values))
def test_reasons_sum_to_the_logit(x):
    for name in CANDIDATES:
        shares = SERVED[3_000, name].explain_one(x)
        assert set(shares) <= {BASE, *x}
        chance = SERVED[3_000, name].chance(x)
        assert sigmoid(sum(shares.values())) == pytest.approx(chance, abs=1e-12)


def test_a_customer_like_the_population_has_no_reasons():
    for name in CANDIDATES:
        model = SERVED[3_000, name]
        x = {feature: mean for feature, (mean, _, _) in model.terms.items()}
        shares = model.explain_one(x)
        shares.pop(BASE)
        crossed = {model.columns[at][0] for cross in model.crosses for at in cross[:2] if at >= 0}
        assert all(abs(shares[feature]) < 1e-9 for feature in shares.keys() - crossed)


def test_a_products_share_is_split_over_its_features():
    model = Served(
        "crosses",
        intercept=0.5,
        prior=0.0,
        terms={"a": (0.0, 1.0, 0.0), "b": (0.0, 1.0, 0.0)},
        columns=[("a", 0.0), ("b", 1.0)],
        crosses=[(0, 1, 0.25, 2.0), (1, -1, 0.0, 3.0)],
    )
    # a * (b beyond 1) = 2 * 0.5, usually 0.25; and b beyond 1 alone, times 3.
    assert model.explain_one({"a": 2.0, "b": 1.5}) == {BASE: 1.0, "a": 0.75, "b": 0.75 + 1.5}
    # Without b neither counts, nor does what they usually are.
    assert model.explain_one({"a": 2.0}) == {BASE: 0.5, "a": 0.0}
    # Beyond CROSS_SPREAD a product grows no more.
    edge = model.chance({"a": CROSS_SPREAD, "b": CROSS_SPREAD})
    assert model.chance({"a": SPREAD, "b": SPREAD}) == edge


def test_the_share_of_a_tree_that_was_kept_is_its_features_shapley_value():
    # a beyond 1: 2, and 3 more if b lies below -1; else 1 if c is beyond 0.5.
    fork = (0, 1.0, 2, 0.5, 1.0, 1, -1.0, 2.0, 3.0)

    def worth(distances):
        a, b, c = distances
        return (5.0 if b < -1.0 else 2.0) if a >= 1.0 else (1.0 if c >= 0.5 else 0.0)

    for values in itertools.product((0.0, 2.0), (0.0, -2.0), (0.0, 2.0)):
        shares = list(Forest([], 0.0, [fork]).shared(of(values)))
        assert shares == pytest.approx(shapley(worth, values))


def shapley(worth, values):
    """Return what each value adds to a worth on average, over all orders in which they come."""
    found = [0.0] * len(values)
    orders = list(itertools.permutations(range(len(values))))
    for order in orders:
        seen = [0.0] * len(values)
        for feature in order:
            before = worth(seen)
            seen[feature] = values[feature]
            found[feature] += (worth(seen) - before) / len(orders)
    return found


@pytest.mark.parametrize("features", [1, 2, 3, 5])
@given(st.randoms(use_true_random=False))
def test_a_trees_share_is_its_features_shapley_value(features, rng):
    """Whichever questions are crossed, and whichever of them ask of the same feature."""
    model, tick = Trees(), 1 / 64
    asked = [rng.randrange(features) for _ in range(QUESTIONS)]
    cuts = [rng.choice((112, 128, 144, levels.NEVER)) for _ in range(QUESTIONS)]
    leaves = [rng.randrange(-128, 128) for _ in range(LEAVES)]
    model._plant([(*asked, *cuts, *leaves)])
    values = [rng.choice((-2.0, -0.5, 0.0, 0.5, 2.0)) for _ in range(features)]
    parts = {name: Weight(place) for place, name in enumerate("abcde"[:features])}
    names, forks, usual = collapse.forest(TICKS * tick, parts, model)
    shares = Forest(forks, tick, []).shared(of(values["abcde".index(name)] for name in names))
    expected = shapley(lambda seen: tick * model.said(of(seen)), values)
    told = dict(zip(names, shares, strict=True))
    assert [told.get(name, 0.0) for name in parts] == pytest.approx(expected)
    assert usual == tick * model.said(of([0.0] * features))


def test_a_hinge_is_nothing_up_to_its_knot():
    assert [hinge(d, 1.0) for d in (-2.0, 0.0, 1.0, 1.5, 9.0)] == [0, 0, 0, 0.5, 2.0]
    assert [hinge(d, -1.0) for d in (2.0, 0.0, -1.0, -1.5, -9.0)] == [0, 0, 0, 0.5, 2.0]
    assert [hinge(d, 0.0) for d in (-9.0, 0.5, 9.0)] == [-3.0, 0.5, 3.0]


def test_a_prior_beyond_all_certainty_is_cut():
    assert Served.untrained().chance({PRIOR: LIMIT}) == sigmoid(PRIOR_LIMIT)


# The candidates, each against what it is said to be.


def test_river_is_rivers_own_pipeline():
    stable, scaler = Stable(), StandardScaler()
    regression = LogisticRegression(optim.AdaGrad(LEARNING_RATE), intercept_lr=INTERCEPT_RATE)
    for x, y in examples(1_000):
        cut = scaler.transform_one(x).items()
        distances = {name: max(-SPREAD, min(SPREAD, distance)) for name, distance in cut}
        expected = regression.predict_proba_one(distances)[True]
        assert stable.learn_one(x, y)["river"] == pytest.approx(expected, abs=1e-9)
        regression.learn_one(distances, y >= 0.5)
        scaler.learn_one(x)


def test_an_example_adds_its_weight_to_the_precision():
    """Laplace's: what is known of the weights grows by doubt * terms * terms^T at the mode."""
    posterior, terms = Posterior(0.0, [1.0, 0.1, 0.2]), np.array([1.0, 0.5, -2.0])
    logit = 0.4
    posterior.learn_one(vectors.of(terms.tolist()), logit, 1.0)
    found = logit + posterior.correction(vectors.of(terms.tolist()))
    chance = sigmoid(found)
    prior = np.diag([1.0, 10.0, 5.0])
    expected = prior + chance * (1 - chance) * np.outer(terms, terms)
    assert np.linalg.inv(posterior.covariance) == pytest.approx(expected, abs=1e-6)
    # The gradient of the log posterior vanishes at the mode.
    assert prior @ posterior.weights() == pytest.approx((1 - chance) * terms, abs=1e-6)


def test_products_find_what_no_line_can():
    stable = SOME[3_000]
    plain, crossed = loss(stable, "bayes", seed=11), loss(stable, "crosses", seed=11)
    assert crossed < plain - 0.01
    assert loss(stable, "blend", seed=11) < plain - 0.008


def boxes(count, seed):
    """Yield examples whose risk jumps where two features pass a bound together."""
    rng = random.Random(seed)
    for _ in range(count):
        x = {name: rng.random() for name in "abcdef"}
        logit = -2 + 4 * (x["a"] > 0.7) * (x["b"] > 0.4) + 3 * (x["c"] > 0.8) * (x["d"] < 0.5)
        yield x, float(rng.random() < sigmoid(logit))


def test_trees_find_jumps_and_the_blend_counts_on_them():
    stable = Stable()
    for x, y in boxes(3_000, seed=16):
        stable.learn_one(x, y)
    losses = dict.fromkeys(("crosses", "trees", "blend"), 0.0)
    for x, y in boxes(1_000, seed=17):
        for name in losses:
            chance = stable.chance(name, x)
            losses[name] -= math.log(chance if y else 1.0 - chance) / 1_000
    assert losses["trees"] < losses["crosses"] - 0.02
    assert losses["blend"] < losses["crosses"] - 0.02


def test_trees_go_on_bit_for_bit_when_the_oldest_examples_were_let_go():
    rng, kept = np.random.default_rng(18), Trees()
    rows = [
        (row, float(row[0] * row[1] + row[2] > rng.normal()))
        for row in rng.normal(size=(5_000, 24))
    ]

    def teach(model, some):
        for row, label in some:
            distances = vectors.of(row)
            model.learn_one(distances, model.said(distances), 0.0, label)

    teach(kept, rows[:4_500])
    again = Trees.from_state(json.loads(json.dumps(kept.to_state())))
    for model in (kept, again):
        teach(model, rows[4_500:])
    assert json.dumps(kept.to_state()) == json.dumps(again.to_state())
    assert len(kept.trees) == trees.MOST
    for row, _ in rows[:50]:
        assert kept.said(vectors.of(row)) == again.said(vectors.of(row))
    # What is remembered of each example is what the trees say of it now, not what they once said.
    assert kept._rows.said[4_600 - trees.ROWS] == kept.said(vectors.of(rows[4_600][0]))


def test_more_features_cost_trees_the_oldest_examples():
    rng, model = np.random.default_rng(22), Trees()
    rows = rng.normal(size=(trees.ROWS + 100, 40))
    for row in rows:
        model.learn_one(vectors.of(row), 0, 0.0, float(row[0] > 0.0))
    model.learn_one(vectors.of(rng.normal(size=96)), 0, 0.0, 1.0)
    kept = trees.CELLS // 96
    assert (model._held, model._place) == (kept, 1)
    # The newest of those before it is still the one before it, the next to go the oldest.
    for place, row in ((kept - 1, rows[-1]), (1, rows[1 - kept])):
        known = list(model._rows.levels)[place :: model._rows.size]
        assert known[:40] == [levels.level(distance) for distance in row]
        assert model._rows.labels[place] == (row[0] > 0.0)
        assert set(known[40:]) == {levels.MIDDLE}


def test_trees_that_nobody_counts_on_grow_more_seldom():
    rng = np.random.default_rng(19)
    kept = {True: Trees(), False: Trees()}
    for row in rng.normal(size=(trees.EAGER + 2_048, 3)):
        for wanted, model in kept.items():
            model.learn_one(vectors.of(row), 0, 0.0, float(row[0] > 0.0), wanted)
        if model.learnt == trees.EAGER:
            early = {wanted: list(model.trees) for wanted, model in kept.items()}
    assert early[True] == early[False]
    renewed = {wanted: len(set(model.trees) - set(early[wanted])) for wanted, model in kept.items()}
    assert renewed[False] < renewed[True] / 2


def test_two_who_know_different_things_are_better_together():
    blend, rng, losses = Blend(), random.Random(20), {"blend": 0.0, "bayes": 0.0}
    for number in range(6_000):
        a, b = rng.gauss(0, 1.5), rng.gauss(0, 1.5)
        said = dict.fromkeys(START, 0.0) | {"bayes": a, "crosses": b}
        label = float(rng.random() < sigmoid(a + b))
        for name, logit in (("blend", blend.logit(said)), ("bayes", a)):
            losses[name] += (number >= 3_000) * math.log1p(math.exp(logit if not label else -logit))
        blend.learn_one(said, label)
    assert losses["blend"] < 0.85 * losses["bayes"]


def test_trees_count_beyond_their_share_only_when_it_is_sure():
    blend, rng = Blend(), random.Random(21)
    for _ in range(3_000):
        logit, noise = rng.gauss(0, 1), rng.gauss(0, 1)
        said = dict.fromkeys(START, logit) | {"trees": logit + noise}
        blend.learn_one(said, float(rng.random() < sigmoid(logit)))
    assert "trees" not in blend.parts()[1]
    assert blend.cautious.weights["trees"] < LEAST


def test_products_are_not_found_in_noise():
    stable, rng = Stable(), random.Random(12)
    for _ in range(5_000):
        x = {f"noise {n}": rng.gauss(0, 1) for n in range(10)}
        stable.learn_one(x, float(rng.random() < 0.3))
    assert len(stable.crosses.pairs) <= 2


def test_products_are_never_more_than_the_most(monkeypatch):
    monkeypatch.setattr(crosses, "STRONG", 0.0)
    monkeypatch.setattr(crosses, "LOOK_EVERY", 16)
    stable, rng = Stable(), random.Random(14)
    for _ in range(400):
        x = {f"noise {n}": rng.gauss(0, 1) for n in range(6)}
        stable.learn_one(x, float(rng.random() < 0.5))
        assert len(stable.crosses.pairs) <= crosses.MOST
    assert len(stable.crosses.pairs) > crosses.MOST - 3


@given(
    st.floats(-14, 14),
    st.floats(0, 100),
    st.sampled_from([0.0, 1.0]),
)
def test_the_mode_is_where_prior_and_label_balance(logit, variance, label):
    found = mode(logit, variance, label)
    assert found == pytest.approx(logit + variance * (label - sigmoid(found)), abs=1e-5)


def test_doubt_never_exceeds_the_priors():
    """However long it forgets: what blows up is forgetting by division."""
    posterior, rng = Posterior(0.2), random.Random(13)
    for place in range(6):
        posterior.insert(place, 0.1)
    terms = [1.0, *[0.0] * 5]
    for number in range(20_000):
        if number < 5_000:
            terms = [1.0, *[rng.gauss(0, 1) for _ in range(5)]]
        laid = vectors.of(terms)
        posterior.learn_one(laid, posterior.correction(laid), float(rng.random() < 0.2))
    assert all(0.0 < variance <= 0.1 + 1e-12 for variance in posterior.covariance.diagonal())
    assert all(abs(mean) < 5 for mean in posterior.weights())


def test_a_mixture_that_is_too_sure_becomes_calmer():
    blend, rng = Blend(), random.Random(15)
    for _ in range(5_000):
        truth = rng.gauss(0, 1)
        said = dict.fromkeys(START, 3.0 * truth)
        blend.learn_one(said, float(rng.random() < sigmoid(truth)))
    assert 1.0 < blend.logit(dict.fromkeys(START, 3.0)) < 2.1
    assert -2.1 < blend.logit(dict.fromkeys(START, -3.0)) < -1.0


def shares(stack):
    """What each candidate counts, but for traces."""
    return {name: share for name, share in stack.parts()[1].items() if share > 1e-6}


@pytest.mark.parametrize("manner", [CAUTIOUS, BOLD])
def test_a_stack_starts_with_the_prior_and_comes_to_trust_the_best(manner):
    # Of a regression that is sure of itself from the start nothing is left but the mixture.
    stack = Stack(manner._replace(line=1e-12, beyond=1e-12))
    said = dict.fromkeys(START, 0.5) | {"prior": 0.0, "bayes": 1.0}

    def learn(label, times):
        losses = {name: log_loss(logit, label) for name, logit in said.items()}
        for _ in range(times):
            stack.learn_one(said, losses, label)

    assert max(stack.weights, key=stack.weights.__getitem__) == "prior"
    learn(1.0, 400)
    assert stack.weights["bayes"] > 0.99
    assert shares(stack) == {"bayes": pytest.approx(1.0)}
    learn(0.0, 200)
    assert stack.weights["prior"] > 0.9  # none is ever given up
    assert sum(stack.weights.values()) == pytest.approx(1.0)
    assert sum(shares(stack).values()) == pytest.approx(1.0)
    assert all(share >= LEAST for share in shares(stack).values())
    assert set(START) == set(CANDIDATES) - {"blend", "river"}
