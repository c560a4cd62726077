"""The curve behind the blend: the identity until it has helped, and then what is wrong."""

import json
import math
import random
from itertools import pairwise

import pytest

from models.online.blend import Blend
from models.online.calibration import AS_IT_IS, FADE, SHARE, TRUST, VARIANCE, Calibration
from models.online.few import Few
from models.online.scaling import sigmoid
from models.online.snapshots import FORMAT, READ, FormatError, Snapshot, decode, encode
from models.online.stacking import START


def taught(count, said_of, seed=1, calibration=None):
    """Return a calibration that heard `said_of` the truth, so many times."""
    calibration, rng = calibration or Calibration(), random.Random(seed)
    for _ in range(count):
        truth = rng.gauss(-1, 2)
        calibration.learn_one(said_of(truth), float(rng.random() < sigmoid(truth)))
    return calibration


def calibrated(calibration, logit):
    return calibration.curve().at(logit)


def test_it_begins_as_the_logit_is():
    assert Calibration().curve() == AS_IT_IS


@pytest.mark.parametrize("said_of", [lambda z: z / 1.5, lambda z: 1.5 * z, lambda z: z + 0.7])
def test_a_stretch_and_a_shift_are_found(said_of):
    calibration = taught(4_000, said_of)
    for truth in (-3.0, 0.0, 2.0):
        assert calibrated(calibration, said_of(truth)) == pytest.approx(truth, abs=0.45)


def test_a_bend_is_found_where_no_line_would_do():
    said = [-4.0, -2.0, -1.0, 0.0, 1.0, 2.0]
    calibration, rng = Calibration(), random.Random(5)
    for _ in range(8_000):
        logit = rng.gauss(-1, 2)
        truth = logit + 1.5 * math.tanh(logit)
        calibration.learn_one(logit, float(rng.random() < sigmoid(truth)))
    for logit in said:
        assert calibrated(calibration, logit) == pytest.approx(
            logit + 1.5 * math.tanh(logit), abs=0.4
        )
    assert calibration.curve().bend > 1.0


@pytest.mark.parametrize("seed", range(3))
def test_a_higher_logit_is_never_a_lower_chance_even_if_labels_say_the_contrary(seed):
    calibration, rng = Calibration(), random.Random(seed)
    for number in range(4_000):
        logit = rng.gauss(0, 2)
        told = -3.0 * math.tanh(logit) if number < 2_000 else -2.0 * logit
        calibration.learn_one(logit, float(rng.random() < sigmoid(told)))
        curve = calibration.curve()
        said = [curve.at(step / 4.0) for step in range(-40, 41)]
        assert all(low <= high + 1e-12 for low, high in pairwise(said))


def test_a_line_of_older_snapshots_goes_on_as_a_curve_without_a_bend():
    line = Few(FADE, [VARIANCE, VARIANCE])
    for logit, label in ((2.0, 1.0), (-1.0, 0.0), (0.5, 1.0)):
        line.learn_one([1.0, logit], logit, label)
    kept = {"trust": 0.4, "line": json.loads(json.dumps(line.to_state()))}
    calibration = Calibration.from_state(kept)
    shift, stretch = line.means
    assert calibration.curve() == pytest.approx((0.4 * shift, 1.0 + 0.4 * stretch, 0.0))
    calibration.learn_one(-1.0, 1.0)
    assert calibration.curve().bend != 0.0


def test_what_is_calibrated_already_is_left_alone():
    for seed in range(5):
        calibration = taught(1_000, lambda truth: truth, seed)
        for logit in (-3.0, 0.0, 3.0):
            assert calibrated(calibration, logit) == pytest.approx(logit, abs=0.06)


def test_few_labels_move_it_by_little():
    for seed in range(5):
        calibration = taught(30, lambda truth: 2.0 * truth, seed)
        assert calibrated(calibration, 3.0) == pytest.approx(3.0, abs=0.3)


def test_it_follows_when_what_was_wrong_is_right():
    calibration = taught(4_000, lambda truth: 1.5 * truth)
    assert calibrated(calibration, 3.0) < 2.4
    calibration = taught(4_000, lambda truth: truth, 2, calibration)
    assert calibrated(calibration, 3.0) == pytest.approx(3.0, abs=0.2)
    calibration = taught(4_000, lambda truth: truth / 1.5, 3, calibration)
    assert calibrated(calibration, 2.0) == pytest.approx(3.0, abs=0.2)


def test_neither_is_ever_given_up_and_no_label_breaks_it():
    calibration = Calibration()
    for logit in (1e300, -1e300, 40.0, -40.0, 0.0):
        for label in (0.0, 1.0):
            calibration.learn_one(logit, label)
            assert SHARE * TRUST <= calibration.trust < 1.0
            assert all(map(math.isfinite, calibration.curve()))


def test_it_goes_on_from_its_state_to_the_bit():
    calibration = taught(200, lambda truth: 1.5 * truth)
    resumed = Calibration.from_state(json.loads(json.dumps(calibration.to_state())))
    for one in (calibration, resumed):
        taught(100, lambda truth: 1.5 * truth, 3, one)
    assert resumed.to_state() == calibration.to_state()


def test_a_blend_serves_calibrated_what_its_parts_add_up_to():
    blend, rng = Blend(), random.Random(4)
    for _ in range(3_000):
        truth = rng.gauss(0, 2)
        said = dict.fromkeys(START, truth / 2.0 - 0.4)
        blend.learn_one(said, float(rng.random() < sigmoid(truth)))
    shift, parts = blend.parts()
    said = blend.curve().at(shift + sum(parts.values()))
    assert blend.logit(dict.fromkeys(START, 1.0)) == pytest.approx(said)
    assert said == pytest.approx(2.8, abs=0.2)


def test_a_blend_that_was_kept_without_calibration_begins_one():
    blend = Blend()
    for _ in range(50):
        blend.learn_one(dict.fromkeys(START, 1.0), 1.0)
    before = blend.to_state()
    del before["calibration"]
    resumed = Blend.from_state(before)
    assert resumed.to_state() == before | {"calibration": Calibration().to_state()}


def test_the_formats_before_are_read_and_older_ones_are_refused():
    secret = b"a secret of the tests"
    for number in range(3, FORMAT + 1):
        kept = Snapshot(model="churn", version=1, offset=1, format=number)
        assert decode(encode(kept, secret), secret) == kept
    for number in (min(READ) - 1, FORMAT + 1):
        kept = Snapshot(model="churn", version=1, offset=1, format=number)
        with pytest.raises(FormatError, match="rebuild models --swap"):
            decode(encode(kept, secret), secret)
