"""Random kills, pauses, stops, joins and outages: in the end all is as the log says it must be.

A few seeds; `make soak RUNS=50` runs many more, and a failure says how to repeat its seed.
"""

import pytest

from tests.chaos.soak.ground import Ground
from tests.chaos.soak.plan import plan

pytestmark = [pytest.mark.stack, pytest.mark.chaos]

SEEDS = (1, 3, 60)  # with tables; learning; exact, with many kills


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    with Ground(tmp_path_factory.mktemp("soak")) as ground:
        yield ground


def test_the_seeds_try_each_kind_of_run():
    plans = [plan(seed) for seed in SEEDS]
    assert {one.learning for one in plans} == {True, False}
    assert {one.tables for one in plans} == {True, False}
    assert {one.state for one in plans} == {"memory", "disk"}
    assert {one.standbys for one in plans} == {0, 1}


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_done_to_the_workers_all_is_as_the_log_says(ground, seed):
    outcome = ground.run(seed)
    assert outcome.passed, str(outcome)
    assert outcome.told["parted with a history"] > 10
