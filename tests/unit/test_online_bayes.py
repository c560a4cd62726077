"""The linear candidate of two memories: as good as the better of both, before a turn and after."""

import json
import random

import pytest

from models.online import bayes, vectors
from models.online.bayes import Bayes
from models.online.posterior import Posterior
from models.online.scaling import log_loss, sigmoid

FEATURES = 8
TURN = 4_000


def world(count, seed=5):
    """Yield examples of fixed weights, which are others from TURN on."""
    rng = random.Random(seed)
    before, after = ([rng.gauss(0, 0.7) for _ in range(FEATURES)] for _ in range(2))
    for number in range(count):
        x = [rng.gauss(0, 1) for _ in range(FEATURES)]
        weights = before if number < TURN else after
        logit = sum(weight * value for weight, value in zip(weights, x, strict=True))
        yield vectors.of(x), float(rng.random() < sigmoid(logit))


def fresh():
    model = Bayes()
    model.reach(FEATURES)
    return model


def taught(count):
    model = fresh()
    for x, label in world(count):
        model.learn_one(model.terms(x), 0.2, label)
    return model


def losses(count):
    """Return what each loses on each example: both together, and one posterior of each memory."""
    model = fresh()
    variances = [bayes.INTERCEPT_VARIANCE] + [bayes.VARIANCE] * FEATURES
    alone = {fade: Posterior(fade, variances) for fade in (bayes.SLOW, bayes.FAST)}
    lost = {"both": [], bayes.SLOW: [], bayes.FAST: []}
    for x, label in world(count):
        terms = model.terms(x)
        lost["both"].append(log_loss(model.correction(terms), label))
        model.learn_one(terms, 0.0, label)
        for fade, posterior in alone.items():
            said = posterior.correction(terms)
            lost[fade].append(log_loss(said, label))
            posterior.learn_one(terms, said, label)
    return lost


def mean(numbers):
    return sum(numbers) / len(numbers)


def test_in_a_still_world_it_forgets_hardly_anything():
    lost = losses(TURN)
    still = {name: mean(of[TURN // 2 :]) for name, of in lost.items()}
    assert still[bayes.SLOW] < still[bayes.FAST] - 0.003
    assert still["both"] < still[bayes.SLOW] + 0.001


def test_after_a_turn_it_follows_and_then_learns_on_without_forgetting():
    lost = losses(TURN + 4_000)
    soon = {name: mean(of[TURN + 100 : TURN + 600]) for name, of in lost.items()}
    late = {name: mean(of[TURN + 2_000 :]) for name, of in lost.items()}
    assert soon["both"] < soon[bayes.SLOW] - 0.1
    assert soon["both"] < soon[bayes.FAST] + 0.02
    # Who waits for the old to fade is worse for long; who always forgets is never sure.
    assert late["both"] < late[bayes.SLOW] - 0.01
    assert late["both"] < late[bayes.FAST] - 0.002


def test_the_slow_one_goes_on_from_what_the_fast_one_knows_by_itself():
    model = taught(TURN)
    assert model.trust < 0.2
    for number, (x, label) in enumerate(world(TURN + 500)):
        if number < TURN:
            continue
        before = model.trust
        model.learn_one(model.terms(x), 0.2, label)
        if model.trust == bayes.TRUST:
            break
    assert before > 0.9
    assert model.slow.weights() == model.fast.weights()
    assert model.slow.to_state() == model.fast.to_state()
    assert (model.slow.fade, model.fast.fade) == (bayes.SLOW, bayes.FAST)
    kept = model.slow.to_state()
    model.fast.learn_one(model.terms(x), 0.2, label)
    assert model.slow.to_state() == kept != model.fast.to_state()


@pytest.mark.parametrize("count", [0, 300, TURN + 300])
def test_what_it_says_is_the_sum_of_its_weights(count):
    model = taught(count)
    weights = model.weights()
    for x, _ in world(20):
        terms = model.terms(x)
        said = sum(weight * terms[place] for place, weight in enumerate(weights))
        assert model.correction(terms) == pytest.approx(said, abs=1e-12)


@pytest.mark.parametrize("count", [0, 300, TURN + 60])
def test_it_goes_on_from_its_state_to_the_bit(count):
    whole = taught(count)
    half = Bayes.from_state(json.loads(json.dumps(whole.to_state())))
    assert half.to_state() == whole.to_state()
    assert half.weights() == whole.weights()
    for x, label in world(TURN + 400, seed=6):
        whole.learn_one(whole.terms(x), 0.0, label)
        half.learn_one(half.terms(x), 0.0, label)
    assert half.to_state() == whole.to_state()


def test_from_the_one_posterior_of_older_snapshots_both_go_on():
    before = taught(300).slow.to_state()
    model = Bayes.from_state(before)
    assert model.slow.to_state() == model.fast.to_state() == before
    assert (model.trust, model.weights()) == (bayes.TRUST, model.slow.weights())
    model.reach(FEATURES + 1)
    assert len(model.slow.means) == len(model.fast.means) == FEATURES + 2
