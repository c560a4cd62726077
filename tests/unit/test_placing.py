"""Keys are placed where every other client places them."""

import pytest
from aiokafka.partitioner import murmur2
from hypothesis import given
from hypothesis import strategies as st

from models.placing import java_hash
from streams.lane.placing import FEW, java_hashes


@pytest.mark.parametrize(
    # As `org.apache.kafka.common.utils.Utils.toPositive(murmur2(key))` gives them.
    ("key", "expected"),
    [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536)],
)
def test_keys_are_placed_as_javas_default_partitioner_places_them(key, expected):
    assert java_hash(key) == expected & 0x7FFFFFFF


@given(st.binary(max_size=40))
def test_a_key_has_the_hash_that_other_clients_give_it(key):
    assert java_hash(key) == murmur2(key) & 0x7FFFFFFF


@given(
    st.lists(st.binary(max_size=9), max_size=40),
    st.integers(0, 30).flatmap(
        lambda size: st.lists(st.binary(min_size=size, max_size=size), max_size=4 * FEW)
    ),
)
def test_keys_together_have_the_hashes_that_they_have_alone(some, of_one_length):
    keys = some + of_one_length + of_one_length[:3]
    assert java_hashes(keys) == {key: java_hash(key) for key in keys}


@pytest.mark.parametrize("size", range(13))
def test_many_keys_of_any_length_are_placed_as_they_are_alone(size):
    keys = [bytes((number * (at + 1)) % 256 for at in range(size)) for number in range(3 * FEW)]
    assert java_hashes(keys) == {key: java_hash(key) for key in keys}
