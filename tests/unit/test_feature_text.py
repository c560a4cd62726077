"""Features are written straight from their array: what is read is what was there, bit for bit."""

import math

from hypothesis import given
from hypothesis import strategies as st

from models.feature_text import packed
from models.features import named
from models.online.vectors import of, unknown
from models.places import MANY
from models.records import unpack
from models.rounding import to_six

finite = st.floats(-1e12, 1e12) | st.floats(-20, 20) | st.sampled_from([0.0, 1e-6, -1e-6, 999.5])
known = st.lists(st.just(math.nan) | finite.map(to_six), min_size=MANY, max_size=MANY)


@given(known)
def test_what_is_read_is_what_was_written_bit_for_bit(numbers):
    values = of(numbers)
    read = unpack(packed(values))
    assert read == named(values)
    assert list(read) == list(named(values))


def test_each_millionth_is_told():
    numbers = [to_six(math.log(1 + day / 7)) for day in range(1, MANY)]
    for step in range(200):
        values = of([*(to_six(one + step * 1e-6) for one in numbers), math.nan])
        assert unpack(packed(values)) == named(values)


def test_nothing_known_is_an_empty_object():
    assert bytes(packed(unknown(MANY))) == b"{}"
