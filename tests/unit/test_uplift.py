"""What an action caused, against those whom chance left without it."""

import numpy as np
import pytest

from models.uplift import Groups


def trial(seed, effect, customers=4_000, controls=0.2):
    """Earnings that mostly follow from what was known before, and a little from the action."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(customers, 3))
    control = (rng.random(customers) < controls).astype(float)
    earned = 5 + features @ [3.0, 0.0, -2.0] + effect * (1 - control) + rng.normal(size=customers)
    return control, earned, features


def lift_of(*portions, features=3):
    groups = Groups(features)
    for portion in portions:
        groups.add(*portion)
    return groups.lift()


def test_the_lift_is_the_difference_in_means_with_welchs_interval():
    control, earned, features = trial(1, 0.5)
    offered, held = earned[control == 0], earned[control == 1]
    error = np.sqrt(offered.var(ddof=1) / len(offered) + held.var(ddof=1) / len(held))
    found = lift_of((control, earned, features))
    assert (found.offered, found.control) == (len(offered), len(held))
    assert found.lift == pytest.approx(offered.mean() - held.mean())
    assert found.high - found.low == pytest.approx(2 * 1.959964 * error)
    assert found.offered_earned == pytest.approx(offered.mean())


def test_the_adjustment_tells_the_same_difference_more_narrowly():
    found = lift_of(trial(2, 0.5))
    assert found.adjusted_high - found.adjusted_low < 0.5 * (found.high - found.low)
    assert found.adjusted_low <= 0.5 <= found.adjusted_high
    assert 0.7 < found.explained < 1.0


@pytest.mark.parametrize("effect", [0.0, 0.3])
def test_the_intervals_hold_the_effect_as_often_as_they_say(effect):
    found = [lift_of(trial(seed, effect, 1_500)) for seed in range(100)]
    plain = sum(one.low <= effect <= one.high for one in found)
    adjusted = sum(one.adjusted_low <= effect <= one.adjusted_high for one in found)
    assert 88 <= plain <= 100
    assert 88 <= adjusted <= 100


def test_the_portions_in_which_customers_come_change_nothing():
    control, earned, features = trial(3, 0.5)
    whole = lift_of((control, earned, features))
    parts = lift_of(*((control[at::3], earned[at::3], features[at::3]) for at in range(3)))
    assert parts.lift == pytest.approx(whole.lift)
    assert parts.adjusted == pytest.approx(whole.adjusted)


def test_too_few_controls_are_refused_and_counted():
    control, earned, features = trial(4, 0.5, 300, controls=0.1)
    found = lift_of((control, earned, features))
    assert found.lift is None
    assert "too few" in found.refused
    assert found.offered + found.control == 300
    assert lift_of().refused


def test_what_tells_nothing_beforehand_changes_nothing():
    control, earned, _ = trial(5, 0.5)
    for features in (np.zeros((len(earned), 0)), np.full((len(earned), 2), 7.0)):
        found = lift_of((control, earned, features), features=features.shape[1])
        assert found.adjusted == pytest.approx(found.lift)
        assert found.explained == pytest.approx(0.0, abs=1e-9)


def test_features_that_say_the_same_twice_or_nonsense_do_no_harm():
    control, earned, features = trial(6, 0.5)
    hostile = features[:, :1].copy()
    hostile[::5] = np.nan
    hostile[1::5] = np.inf
    twice = np.hstack([features, features, hostile])
    found = lift_of((control, earned, twice), features=7)
    assert found.adjusted_low <= 0.5 <= found.adjusted_high
    assert np.isfinite([found.adjusted_low, found.adjusted_high]).all()


def test_customers_who_all_earned_the_same_tell_no_lift():
    control = np.arange(400) % 2.0
    found = lift_of((control, np.full(400, 3.0), np.zeros((400, 1))), features=1)
    assert (found.lift, found.low, found.high) == (0.0, 0.0, 0.0)
