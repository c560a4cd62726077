"""What a policy would have earned: the estimators, their intervals, and when there are none."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.catalogue import parse
from models.offpolicy import (
    Logged,
    clipped,
    direct,
    doubly_robust,
    effective_sample,
    evaluate,
    importance,
    ips,
    snips,
)
from models.offpolicy.policies import PolicyError, fixed, named, uniform, unknown
from models.offpolicy.resampling import REPLICATES, Resampled, interval, times_drawn
from models.offpolicy.rewards import FOLDS, RewardModel, fold

OPEN_BANDIT = Path(__file__).parents[1] / "golden" / "offpolicy"
CAMPAIGNS = ("all", "men", "women")
ARMS = ["none", "a/email", "b/email"]


def open_bandit(campaign):
    """The random policy's 10,000 rounds of a campaign, BTS's shares by position, obp's numbers."""
    columns = np.load(OPEN_BANDIT / "open_bandit.npz")
    told = json.loads((OPEN_BANDIT / "open_bandit.json").read_text())[campaign]
    items, positions, clicks = (
        columns[f"{campaign}_{name}"].astype(int) for name in ("item", "position", "click")
    )
    shares = columns[f"{campaign}_target"].T[positions]
    users = [columns[f"{campaign}_user_{number}"] for number in range(4)]
    seen = np.column_stack([np.eye(int(user.max()) + 1)[user] for user in users])
    return items, positions, clicks.astype(float), shares, seen, told


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_the_estimators_are_those_of_the_open_bandit_pipeline(campaign):
    items, positions, clicks, shares, _, told = open_bandit(campaign)
    rounds, arms = np.arange(len(items)), told["arms"]
    weights = importance(shares[rounds, items], np.full(len(items), 1 / arms))
    steps = rounds[:, None] * 7 + np.arange(arms)[None, :] * 13 + positions[:, None] * 5
    expected = 0.002 + 0.004 * (steps % 17) / 17
    dm = direct(shares, expected)
    ours = {
        "ipw": ips(clicks, weights).mean(),
        "snipw": snips(clicks, weights).mean(),
        "dm": dm.mean(),
        "dr": doubly_robust(clicks, weights, expected[rounds, items], dm).mean(),
    }
    assert ours == pytest.approx({name: told[name] for name in ours}, abs=1e-6)


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_what_the_other_policy_really_earned_lies_in_the_intervals(campaign):
    items, _, clicks, shares, seen, told = open_bandit(campaign)
    log = Logged(
        customers=np.arange(len(items), dtype=np.uint64),
        chosen=items.astype(np.intp),
        rewards=clicks,
        propensities=np.full(shares.shape, 1 / told["arms"]),
        features=seen,
    )
    names = [str(number) for number in range(told["arms"])]
    report = evaluate(lambda: [log], {"bts": lambda _: shares}, names)
    [judged] = report.policies
    assert judged.refused is None
    for name, one in judged.estimates.items():
        assert one.low is None or one.low <= told["on_policy"] <= one.high, name


def trial(seed, customers=2_000, uneven=True):
    """A log whose truth is known: what each arm earns follows from the context."""
    rng = np.random.default_rng(seed)
    people = np.arange(customers, dtype=np.uint64).repeat(rng.integers(1, 4, customers))
    count = len(people)
    # A context is the customer's own, so his decisions are alike: drawn one by one,
    # they would look like more than they are.
    context = rng.normal(size=(customers, 2))[people.astype(int)]
    logits = np.column_stack([np.full(count, -1.5), context[:, 0] - 1, 0.5 * context[:, 1] - 0.5])
    chances = 1 / (1 + np.exp(-logits))
    wild = np.exp(logits * uneven)
    propensities = 0.1 + 0.7 * wild / wild.sum(axis=1, keepdims=True)
    chosen = (propensities.cumsum(axis=1) > rng.random((count, 1))).argmax(axis=1)
    earned = 10.0 * (rng.random(count) < chances[np.arange(count), chosen])
    log = Logged(people, chosen, earned, propensities, context)
    return log, 10.0 * chances


def portions(log, size):
    for at in range(0, len(log), size):
        rows = slice(at, at + size)
        yield Logged(
            log.customers[rows],
            log.chosen[rows],
            log.rewards[rows],
            log.propensities[rows],
            log.features[rows],
        )


def judged(log, policy=uniform):
    [one] = evaluate(lambda: [log], {"it": policy}, ARMS).policies
    return one


def test_the_intervals_hold_the_truth_as_often_as_they_say():
    truth = trial(0, 60_000)[1].mean()
    seeds = range(1, 101)
    held = dict.fromkeys(("ips", "snips", "dr", "ips_clipped", "snips_clipped", "dr_clipped"), 0)
    for seed in seeds:
        estimates = judged(trial(seed, 800)[0]).estimates
        for name in held:
            held[name] += estimates[name].low <= truth <= estimates[name].high
    # 95 of 100 are meant; 88 to 100 is what chance leaves of that at four deviations.
    assert all(87 <= count <= 100 for count in held.values()), held
    assert max(held.values()) < 100 or min(held.values()) < 100


def test_the_estimates_are_right_on_average():
    truth = trial(0, 60_000)[1].mean()
    found = [judged(trial(seed, 800)[0]).estimates for seed in range(200, 240)]
    for name in ("ips", "snips", "dr"):
        values = [one[name].value for one in found]
        error = np.std(values, ddof=1) / np.sqrt(len(values))
        assert abs(np.mean(values) - truth) < 4 * error, name


def test_a_policy_judged_by_its_own_log_earns_what_was_earned():
    log, _ = trial(5)
    own = judged(log, lambda one: one.propensities)
    assert own.effective == pytest.approx(len(log))
    assert own.estimates["ips"].value == pytest.approx(log.rewards.mean())
    assert own.gain.low < 0 < own.gain.high
    assert own.largest == pytest.approx(1.0)


def test_a_better_policy_is_told_from_a_worse_one():
    log, truth = trial(6, 8_000, uneven=False)
    best = np.eye(3)[truth.argmax(axis=1)]
    report = evaluate(lambda: [log], {"best": lambda _: best, "none": fixed(ARMS, "none")}, ARMS)
    better, worse = report.policies
    assert better.gain.low > 0 > worse.gain.high


def test_the_portions_in_which_a_log_is_read_change_nothing():
    log, _ = trial(7, 1_000)
    whole = evaluate(lambda: [log], {"even": uniform}, ARMS)
    parts = evaluate(lambda: portions(log, 333), {"even": uniform}, ARMS)
    assert (parts.decisions, parts.customers) == (whole.decisions, whole.customers)
    for name, one in whole.policies[0].estimates.items():
        other = parts.policies[0].estimates[name]
        assert other.value == pytest.approx(one.value)
        assert (other.low is None) == (one.low is None)
        assert one.low is None or (other.low, other.high) == pytest.approx((one.low, one.high))


def test_the_same_log_gives_the_same_intervals():
    log, _ = trial(8)
    assert judged(log) == judged(log)


def test_customers_with_more_decisions_widen_the_interval():
    log, _ = trial(9, 1_000)
    again = Logged(
        *(
            np.repeat(part, 4, axis=0)
            for part in (log.customers, log.chosen, log.rewards, log.propensities, log.features)
        )
    )
    once, often = judged(log).estimates["ips"], judged(again).estimates["ips"]
    # The same said four times by the same people is no more than said once.
    assert often.high - often.low == pytest.approx(once.high - once.low, rel=1e-9)


def test_too_small_an_effective_sample_is_refused_and_says_so():
    log, _ = trial(10, 400)
    refused = judged(log)
    assert refused.estimates == {}
    assert refused.gain is None
    assert "effective sample" in refused.refused
    assert "1,000" in refused.refused


def test_too_few_customers_are_refused_however_many_decisions():
    log, _ = trial(11, 99)
    again = Logged(
        *(
            np.repeat(part, 50, axis=0)
            for part in (log.customers, log.chosen, log.rewards, log.propensities, log.features)
        )
    )
    assert "99 customers" in judged(again).refused


def test_an_empty_log_is_refused():
    report = evaluate(list, {"even": uniform}, ARMS)
    assert (report.decisions, report.logged) == (0, None)
    assert report.policies[0].refused


def test_what_the_log_could_never_take_is_named():
    log, _ = trial(12)
    some = log.propensities.copy()
    barred = (np.arange(len(log)) % 2 == 0) & (log.chosen != 2)
    some[barred, 2] = 0.0
    log = Logged(log.customers, log.chosen, log.rewards, some, log.features)
    always = judged(log, lambda one: np.eye(3)[np.full(len(one), 2)])
    assert always.missing == {"b/email": pytest.approx(barred.mean())}
    assert always.supported == pytest.approx(1 - barred.mean())
    assert judged(log).missing == {}


def test_clipping_cuts_the_largest_weights_alone():
    assert list(clipped(np.array([0.5, 3.0, 9.0]), 3.0)) == [0.5, 3.0, 3.0]
    assert judged(trial(13)[0]).clip == pytest.approx(np.sqrt(len(trial(13)[0])))


def test_the_effective_sample_is_one_over_the_share_of_the_heaviest():
    assert effective_sample(np.ones(7)) == pytest.approx(7)
    assert effective_sample(np.array([1.0, 0.0, 0.0])) == pytest.approx(1)
    assert effective_sample(np.zeros(3)) == 0.0
    assert list(snips(np.ones(2), np.zeros(2))) == [0.0, 0.0]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"rewards": np.array([np.nan, 1.0])}, "finite"),
        ({"propensities": np.array([[0.0, 1.0], [0.5, 0.5]])}, "no chance"),
        ({"customers": np.zeros(3, np.uint64)}, "does not fit"),
    ],
)
def test_a_log_that_contradicts_itself_is_refused(broken, said):
    sound = {
        "customers": np.zeros(2, np.uint64),
        "chosen": np.zeros(2, np.intp),
        "rewards": np.ones(2),
        "propensities": np.full((2, 2), 0.5),
        "features": np.zeros((2, 1)),
    }
    Logged(**sound)
    with pytest.raises(ValueError, match=said):
        Logged(**sound | broken)


def test_customers_are_drawn_once_on_average_and_each_alike_in_every_portion():
    drawn = times_drawn(np.arange(2_000, dtype=np.uint64))
    assert drawn.shape == (2_000, REPLICATES)
    assert drawn.mean() == pytest.approx(1.0, abs=0.005)
    assert drawn.var() == pytest.approx(1.0, abs=0.01)
    # Neither customers nor replicates go together.
    assert abs(np.corrcoef(drawn[0], drawn[1])[0, 1]) < 0.15
    assert np.abs(np.corrcoef(drawn[:, :8].T)[np.triu_indices(8, 1)]).max() < 0.12
    assert (times_drawn(np.array([7], np.uint64)) == drawn[7]).all()


def test_the_interval_of_a_mean_is_the_textbooks():
    values = np.random.default_rng(3).normal(5.0, 2.0, 10_000)
    sums = Resampled(2)
    sums.add(np.arange(10_000, dtype=np.uint64), np.column_stack([np.ones(10_000), values]))
    low, high = interval(sums.replicates[:, 1] / sums.replicates[:, 0], 0.95)
    assert high - low == pytest.approx(2 * 1.96 * 2.0 / 100, rel=0.1)


def test_nobodys_expectation_comes_from_his_own_fold():
    log, _ = trial(14, 3_000)
    mine = fold(log.customers) == 0
    spoiled = np.where(mine, 1e6, log.rewards)
    fitted = []
    for rewards in (log.rewards, spoiled):
        model = RewardModel(3, 2)
        model.add(Logged(log.customers, log.chosen, rewards, log.propensities, log.features))
        model.fit()
        fitted.append(model.expected(log)[mine])
    assert (fitted[0] == fitted[1]).all()


def test_the_folds_are_even_and_a_customer_is_in_one():
    counts = np.bincount(fold(np.arange(10_000, dtype=np.uint64)), minlength=FOLDS)
    assert counts.min() > 1_800


def test_the_reward_model_finds_what_each_arm_earns_where():
    log, truth = trial(15, 20_000)
    model = RewardModel(3, 2)
    model.add(log)
    model.fit()
    expected = model.expected(log)
    for arm in range(1, 3):
        assert np.corrcoef(expected[:, arm], truth[:, arm])[0, 1] > 0.9
    assert expected.mean(axis=0) == pytest.approx(truth.mean(axis=0), abs=0.25)


def test_hostile_features_harm_no_estimate():
    log, truth = trial(16, 3_000)
    spoiled = log.features.copy()
    spoiled[::7] = np.nan
    spoiled[1::11] = np.inf
    spoiled[2::13] = 1e300
    worse = judged(Logged(log.customers, log.chosen, log.rewards, log.propensities, spoiled))
    for one in worse.estimates.values():
        assert np.isfinite(one.value)
    assert worse.estimates["dr"].low <= truth.mean() <= worse.estimates["dr"].high


CATALOGUE = parse(
    """
    [policy]
    none_value = 1
    floor = 0.3
    [[offers]]
    id = "a"
    name = { en = "A", ko = "가" }
    channels = ["email"]
    value = 4
    cost = 1
    [[offers]]
    id = "new"
    name = { en = "N", ko = "새" }
    channels = ["app"]
    value = 2
    """
)


OFFER = """
[[offers]]
id = "a"
name = { en = "A", ko = "가" }
channels = ["email"]
value = 4
cost = 1
"""


def believed(means, propensities, margins=(1.0, 1.0, 1.0)):
    means = np.array(means)
    return Logged(
        customers=np.zeros(len(means), np.uint64),
        chosen=np.zeros(len(means), np.intp),
        rewards=np.zeros(len(means)),
        propensities=np.array(propensities),
        features=np.zeros((len(means), 0)),
        means=means,
        deviations=np.full(means.shape, 0.01),
        margins=np.tile(margins, (len(means), 1)),
    )


def test_uniform_shares_among_what_was_eligible():
    log = believed([[0.0, 0.0, 0.0]], [[0.5, 0.5, 0.0]])
    assert uniform(log).tolist() == [[0.5, 0.5, 0.0]]


def test_a_fixed_arm_gives_way_to_none_where_it_was_not_eligible():
    log = believed([[0.0] * 3] * 2, [[0.2, 0.5, 0.3], [0.5, 0.5, 0.0]])
    assert fixed(ARMS, "b/email")(log).tolist() == [[0, 0, 1], [1, 0, 0]]


def test_greedy_takes_what_the_catalogue_says_is_worth_most():
    log = believed([[0.0, 3.0, 9.0], [0.0, -3.0, 9.0]], [[0.4, 0.3, 0.3]] * 2, [1.0, 4.0, 9.0])
    # Nobody knows what b is worth to a catalogue without it.
    assert named("greedy", ARMS, CATALOGUE)(log).tolist() == [[0, 1, 0], [1, 0, 0]]


def test_thompson_draws_by_the_catalogues_worths_and_floor():
    log = believed([[0.0, 3.0, 9.0]], [[0.4, 0.3, 0.3]], [1.0, 4.0, 9.0])
    [[none, a, b]] = named("thompson", ARMS, CATALOGUE)(log).tolist()
    assert (none, a, b) == (pytest.approx(0.15), pytest.approx(0.85), 0.0)


def test_margins_as_the_log_tells_them_move_with_the_value_of_an_offer():
    log = believed([[0.0, 0.0, 0.0]], [[0.4, 0.3, 0.3]])
    dearer = parse("[policy]\nnone_value = 1\n" + OFFER.replace("value = 4", "value = 40"))
    told = parse("[policy]\nnone_value = 1\n" + OFFER)
    # One half converts: the log says 1 for either, and a costs 1 to make.
    assert named("greedy", ARMS, told)(log).tolist() == [[1, 0, 0]]
    assert named("greedy", ARMS, dearer, told)(log).tolist() == [[0, 1, 0]]


def test_a_bolder_catalogue_draws_more_evenly():
    log = replace(believed([[0.2, -0.2, 0.0]], [[0.4, 0.3, 0.3]]), deviations=np.full((1, 3), 0.2))
    told = parse("[policy]\nfloor = 0\nboldness = 0.5\nnone_value = 1\n" + OFFER)
    bolder = parse("[policy]\nfloor = 0\nboldness = 2\nnone_value = 1\n" + OFFER)
    free = told.model_copy(
        update={"offers": (told.offers[0].model_copy(update={"cost": 0.0}),)},
    )
    freer = bolder.model_copy(update={"offers": free.offers})
    [[timid, *_]] = named("thompson", ARMS, free)(log).tolist()
    [[bold, *_]] = named("thompson", ARMS, freer, free)(log).tolist()
    assert 0.85 < timid < 0.97
    assert 0.5 < bold < 0.7


def test_a_policy_that_nobody_knows_is_refused_with_those_that_are():
    with pytest.raises(PolicyError, match="uniform, greedy, thompson"):
        named("best", ARMS, CATALOGUE)
    with pytest.raises(PolicyError, match="a/email"):
        named("fixed:c", ARMS, CATALOGUE)
    log = Logged(
        *(
            getattr(believed([[0.0] * 3], [[0.4, 0.3, 0.3]]), name)
            for name in ("customers", "chosen", "rewards", "propensities", "features")
        )
    )
    with pytest.raises(PolicyError, match="no beliefs"):
        named("greedy", ARMS, CATALOGUE)(log)


def test_arms_that_the_log_never_knew_are_named():
    assert unknown(ARMS, CATALOGUE) == ["new/app"]
