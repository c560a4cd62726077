"""A bandit tried on rows: late rewards stay late, and values are what they are by definition."""

import pytest

from models.online.prequential_offers import Choice, Offered, Trial, drawn

ARMS = ("a", "b")


class Loyal:
    """A bandit that remembers what it was taught, and likes the arm that earned most."""

    def __init__(self, chances=(0.5, 0.5)):
        self.chances = dict(zip(ARMS, chances, strict=True))
        self.earned = dict.fromkeys(ARMS, 0.0)
        self.taught = []

    def decide_one(self, choice):
        chances = {arm: self.chances[arm] for arm in choice.eligible}
        total = sum(chances.values())
        return Offered({a: c / total for a, c in chances.items()}, dict(self.earned), {})

    def learn_one(self, offered, arm, reward):
        self.taught.append((arm, reward))
        self.earned[arm] += reward


def full(at, a, b, known_at=None, eligible=ARMS, key=""):
    rewards = {arm: reward for arm, reward in (("a", a), ("b", b)) if arm in eligible}
    return Choice(at, key, {}, eligible, rewards, at if known_at is None else known_at)


def logged(at, arm, reward, propensity, key=""):
    return Choice(at, key, {}, ARMS, {arm: reward}, at, arm, propensity)


def trial(bandit=None, tested_from=0):
    return Trial(bandit or Loyal(), list(ARMS), tested_from, 100)


def test_a_reward_is_learnt_only_once_it_is_known():
    bandit = Loyal()
    run = trial(bandit)
    run.ask(full(0, 1.0, 1.0, known_at=3))
    run.ask(full(1, 1.0, 1.0, known_at=9))
    assert bandit.taught == []
    run.ask(full(3, 1.0, 1.0))
    assert len(bandit.taught) == 1


def test_with_every_reward_known_a_value_is_what_the_propensities_expect():
    run = trial(Loyal((0.8, 0.2)))
    run.run(full(at, 1.0, 3.0) for at in range(10))
    tested = run.report()["tested"]
    assert tested["online"]["value"] == pytest.approx(0.8 * 1 + 0.2 * 3)
    assert tested["uniform"]["value"] == pytest.approx(2.0)
    assert tested["fixed:b"]["value"] == pytest.approx(3.0)
    assert "logged" not in tested


def test_an_arm_that_is_not_eligible_is_never_counted():
    run = trial()
    run.run(full(at, 1.0, 3.0, eligible=("a",)) for at in range(4))
    tested = run.report()["tested"]
    assert (tested["fixed:b"]["value"], tested["uniform"]["value"]) == (0.0, 1.0)


def test_in_a_log_too_an_arm_that_is_not_eligible_earns_nothing_by_every_estimate():
    """Else SNIPS would be of the rows in which the arm could be taken, and the others of all."""
    run = trial()
    alone = [Choice(at, "", {}, ("a",), {"a": 1.0}, at, "a", 1.0) for at in range(2)]
    run.run([*alone, logged(2, "b", 1.0, 0.5), logged(3, "a", 0.0, 0.5)])
    fixed = run.report()["tested"]["fixed:b"]
    assert (fixed["ips"], fixed["snips"]) == (pytest.approx(0.5), pytest.approx(0.5))


def test_from_a_log_values_are_weighed_by_the_propensities():
    run = trial(Loyal((1.0, 0.0)))
    rows = [logged(0, "a", 1.0, 0.25), logged(1, "b", 5.0, 0.75), logged(2, "a", 0.0, 0.5)]
    run.run(rows)
    online = run.report()["tested"]["online"]
    assert online["ips"] == pytest.approx((4 * 1.0 + 0.0 + 2 * 0.0) / 3)
    assert online["snips"] == pytest.approx(4.0 / 6.0)
    assert online["effective_rows"] == pytest.approx(36 / 20)
    assert run.report()["tested"]["logged"]["value"] == pytest.approx(2.0)


def test_beliefs_are_corrected_by_what_came_of_the_arm_taken():
    bandit = Loyal((1.0, 0.0))
    bandit.earned["a"] = 0.4
    run = trial(bandit)
    run.ask(logged(0, "a", 1.0, 0.5))
    assert run.report()["tested"]["online"]["value"] == pytest.approx(0.4 + 2 * (1.0 - 0.4))


def test_only_the_tested_rows_count_and_the_fixed_arm_is_chosen_before_them():
    run = trial(tested_from=2)
    run.run([full(0, 9.0, 0.0), full(1, 9.0, 0.0), full(2, 0.0, 1.0), full(3, 0.0, 1.0)])
    report = run.report()
    assert report["tested"]["fixed:a"]["rows"] == 2
    assert report["whole"]["fixed:a"]["rows"] == 4
    assert (report["best_fixed"], report["best_fixed_in_hindsight"]) == ("fixed:a", "fixed:b")
    assert report["gain"]["fixed:a"]["value"] == pytest.approx(0.5)


def test_intervals_draw_whole_customers():
    one, many = trial(), trial()
    rewards = [float(at % 2) for at in range(400)]
    one.run(full(at, reward, 0.0, key=f"u{at % 2}") for at, reward in enumerate(rewards))
    many.run(full(at, reward, 0.0, key=f"u{at}") for at, reward in enumerate(rewards))

    def width(run):
        found = run.report()["tested"]["fixed:a"]
        return found["high"] - found["low"]

    assert width(one) > 5 * width(many)


def test_rows_out_of_order_are_refused():
    run = trial()
    run.ask(full(5, 0.0, 0.0))
    with pytest.raises(ValueError, match="row 2"):
        run.ask(full(4, 0.0, 0.0))


def test_arms_are_drawn_as_often_as_their_chances_say_and_the_same_each_time():
    chances = {"a": 0.7, "b": 0.3}
    arms = [drawn(chances, seed) for seed in range(4_000)]
    assert arms.count("a") / 4_000 == pytest.approx(0.7, abs=0.03)
    assert arms == [drawn(chances, seed) for seed in range(4_000)]
