"""Keys are placed where every other client places them."""

import pytest
from aiokafka.partitioner import murmur2
from hypothesis import given
from hypothesis import strategies as st

from models.placing import java_hash


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
