"""Ports that are free, for servers that are about to start."""

import pytest

from infra.errors import UserError
from infra.local import ports


def test_no_two_who_ask_are_given_the_same_port():
    some = range(19_000, 19_200)
    given = [ports.free_port(among=some) for _ in range(100)]
    assert len(set(given)) == len(given)
    first = ports.free_port(following=2, among=some)
    assert not {first, first + 1, first + 2} & set(given)


def test_that_none_is_left_is_said():
    one = range(18_999, 19_000)
    assert ports.free_port(among=one) == 18_999
    with pytest.raises(UserError, match="no free port was found"):
        ports.free_port(among=one)
