"""Numbers are rounded once, as records carry them: near enough, short, finite where they were."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.online.vectors import of
from models.rounding import all_to_six, to_four, to_six

SHORT = [(to_six, 6), (to_four, 4)]
numbers = st.floats(-1e6, 1e6)


@pytest.mark.parametrize(("rounded", "places"), SHORT)
@given(number=numbers)
def test_a_rounded_number_is_near_and_has_so_many_decimals(rounded, places, number):
    near = rounded(number)
    assert abs(near - number) <= 0.5 * 10**-places + 1e-9
    assert near == round(near, places)
    assert rounded(near) == near


@pytest.mark.parametrize(("rounded", "places"), SHORT)
def test_a_rounded_number_is_written_with_no_more(rounded, places):
    written = [json.dumps(rounded(math.log1p(day / 7))) for day in range(2_000)]
    assert max(len(one.partition(".")[2]) for one in written) == places


@pytest.mark.parametrize("rounded", [to_six, to_four])
def test_what_is_too_large_or_no_number_is_left_as_it_is(rounded):
    for number in (1e9, -1e300, math.inf, -math.inf):
        assert rounded(number) == number
    assert math.isnan(rounded(math.nan))
    assert math.copysign(1.0, rounded(-1e-12)) == 1.0  # no "-0.0"


def test_an_array_is_rounded_in_place():
    held = of([1.23456789, math.nan, -2.0])
    all_to_six(held)
    assert (held[0], held[2]) == (1.234568, -2.0)
    assert math.isnan(held[1])
