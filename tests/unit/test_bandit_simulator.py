"""In a world whose truth is known the policy regrets ever less, and less than simpler ones do."""

import numpy as np
import pytest

from tests.evaluation.bandit import ARMS, World, run

ROUNDS = 4_000


@pytest.fixture(scope="module", params=[1, 2])
def told(request):
    return run(request.param, ROUNDS, rivers=False)


def test_it_regrets_much_less_than_uniform_and_than_the_best_fixed_arm(told):
    regret = told["regret"]
    assert regret["ours"] < 0.55 * regret["uniform"]
    assert regret["ours"] < 0.75 * regret["best fixed"]
    assert regret["ours"] < 0.85 * regret["popularity"]


def test_its_regret_falls_and_falls_again_after_the_world_turned_round(told):
    by_tenth = told["regret_by_tenth"]["ours"]
    assert by_tenth[5] < 0.5 * by_tenth[0]
    assert by_tenth[9] < by_tenth[7]


def test_the_same_seed_is_the_same_run(told):
    assert run(told["seed"], 700, rivers=False) == run(told["seed"], 700, rivers=False)


def test_nobody_regrets_less_than_nothing_and_the_best_arm_may_be_made():
    world = World(3, 500)
    where = np.where(world.eligible, world.worths, -np.inf)
    assert (world.best == where.max(axis=1)).all()
    assert world.eligible[:, ARMS.index("none")].all()
    assert not world.eligible[250:, ARMS.index("d/app")].any()
