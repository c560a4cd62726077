"""Two manners of blending: the better one is trusted, and what is served is what both add up to."""

import json
import math
import random

import pytest

from models.online.blend import SHARE, TRUST, Blend
from models.online.scaling import log_loss, sigmoid, trusted
from models.online.stacking import LEAST, START, between, logit_of


def taught(count, world, seed=1, blend=None):
    """Return a blend that heard so many examples of `world`: a drawn one's logits and truth."""
    blend, rng = blend or Blend(), random.Random(seed)
    for _ in range(count):
        said, truth = world(rng)
        blend.learn_one(said, float(rng.random() < sigmoid(truth)))
    return blend


def against(rng):
    """One is right, and by half again; another is wrong way round."""
    a, b = rng.gauss(0, 1.5), rng.gauss(0, 1.5)
    return dict.fromkeys(START, 0.0) | {"bayes": a, "crosses": b}, 1.5 * a - 0.7 * b


def noise(rng):
    """Nobody knows more than the prior; the others only differ."""
    truth = rng.gauss(-1, 1)
    return {name: truth + (name != "prior") * rng.gauss(0, 0.3) for name in START}, truth


def told_twice(rng):
    """What all say is true; who follows chance leaves them."""
    truth = rng.gauss(-2, 1)
    return {name: truth + rng.gauss(0, 0.1) for name in START}, truth


def test_it_begins_at_the_prior():
    shift, parts = Blend().parts()
    assert shift == 0.0
    assert max(parts, key=parts.__getitem__) == "prior"
    assert sum(parts.values()) == pytest.approx(1.0)


def test_where_labels_tell_much_the_bold_one_is_trusted():
    for seed in range(3):
        assert taught(300, against, seed).trust > 3.0 * TRUST


@pytest.mark.parametrize("world", [noise, told_twice])
def test_where_they_tell_chance_the_cautious_one_stays(world):
    for seed in range(3):
        assert taught(1_000, world, seed).trust < 2.0 * TRUST


def test_it_is_about_as_good_as_the_better_manner():
    for world in (against, noise, told_twice):
        blend, rng = Blend(), random.Random(7)
        lost = [0.0, 0.0, 0.0]
        for _ in range(1_500):
            said, truth = world(rng)
            label = float(rng.random() < sigmoid(truth))
            both = (blend.logit(said), *(logit_of(one.parts(), said) for one in manners(blend)))
            lost = [so_far + log_loss(one, label) for so_far, one in zip(lost, both, strict=True)]
            blend.learn_one(said, label)
        # Nats, of some hundreds: ln(1 / TRUST) / RATE for trust, and what never giving up costs.
        assert lost[0] < min(lost[1:]) + 10.0


def test_few_labels_move_it_by_little():
    """The labels of one customer, all alike, do not turn a prior round."""
    blend = Blend()
    said = dict.fromkeys(START, 2.0) | {"bayes": 1.0, "crosses": 1.0, "logit": 1.0}
    for _ in range(4):
        blend.learn_one(said, 0.0)
    assert blend.logit(said) > 1.0


def test_trust_goes_where_it_is_earned_no_longer():
    blend = taught(300, against)
    before = blend.trust
    taught(1_500, told_twice, 2, blend)
    assert SHARE * TRUST <= blend.trust < before / 2.0


@pytest.mark.parametrize("share", [0.0, LEAST / 2, 0.3, 0.5, 1.0 - LEAST / 2, 1.0])
def test_between_two_sums_says_what_lies_between(share):
    one, other = (0.5, {"prior": 1.0, "bayes": 0.25}), (-1.0, {"bayes": 2.0, "trees": 0.5})
    said = {"prior": 0.3, "bayes": -0.7, "trees": 1.1}
    near = 0.0 if share < LEAST else 1.0 if share > 1.0 - LEAST else share
    expected = (1.0 - near) * logit_of(one, said) + near * logit_of(other, said)
    found = between(one, other, share)
    assert logit_of(found, said) == pytest.approx(expected)
    assert ("trees" in found[1]) == (near > 0.0)


@pytest.mark.parametrize("gain", [-24.0, -1.0, 0.0, 1.0, 24.0])
def test_trust_is_bayes_rule_and_gives_nobody_up(gain):
    share, start = 0.01, 0.1
    for before in (1e-6, 0.1, 0.5, 0.999):
        kept = before * math.exp(gain)
        rule = kept / (kept + 1.0 - before)
        found = trusted(before, gain, share, start)
        assert found == pytest.approx((1.0 - share) * rule + share * start)
        assert share * start <= found < 1.0


@pytest.mark.parametrize("count", [0, 300])
def test_it_goes_on_from_its_state_to_the_bit(count):
    blend = taught(count, against)
    resumed = Blend.from_state(json.loads(json.dumps(blend.to_state())))
    assert resumed.parts() == blend.parts()
    for one in (blend, resumed):
        taught(200, against, 3, one)
    assert resumed.to_state() == blend.to_state()
    assert resumed.parts() == blend.parts()


def test_from_the_one_stack_of_older_snapshots_both_go_on():
    known = taught(200, against).to_state()
    before = known["cautious"] | {"calibration": known["calibration"]}
    blend = Blend.from_state(json.loads(json.dumps(before)))
    assert blend.cautious.to_state() == blend.bold.to_state() == known["cautious"]
    assert blend.trust == TRUST
    assert blend.to_state()["calibration"] == known["calibration"]
    said = {name: 0.1 * place for place, name in enumerate(START)}
    alone = logit_of(blend.cautious.parts(), said)
    assert blend.logit(said) == pytest.approx(blend.curve().at(alone))


def manners(blend):
    return blend.cautious, blend.bold
