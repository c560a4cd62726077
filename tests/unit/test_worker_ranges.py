"""How a worker's partitions are written."""

import pytest

from infra.cli.workers import ranges


@pytest.mark.parametrize(
    ("numbers", "written"),
    [
        ([], ""),
        ([0], "0"),
        ([0, 1], "0-1"),
        ([0, 1, 2, 5], "0-2, 5"),
        ([1, 3, 4, 5, 9, 10], "1, 3-5, 9-10"),
    ],
)
def test_neighbours_are_one_range(numbers, written):
    assert ranges(numbers) == written
