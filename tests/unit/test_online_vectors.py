"""Vectors: arrays of doubles whose sums are made in the order of the places."""

import math

from hypothesis import given
from hypothesis import strategies as st

from models.online import vectors

NUMBERS = st.lists(st.floats(-1e3, 1e3), max_size=9)


@given(NUMBERS, st.randoms(use_true_random=False))
def test_a_sum_of_products_is_made_in_the_order_of_the_places(numbers, rng):
    others = [rng.uniform(-9, 9) for _ in range(len(numbers) + 2)]  # the rest counts nothing
    total = 0.0
    for one, other in zip(numbers, others, strict=False):
        total += one * other
    assert vectors.dot(vectors.of(numbers), vectors.of(others)) == total


def test_a_copy_keeps_its_own_numbers():
    first = vectors.of([1.0, 2.0])
    second = vectors.copied(first)
    second[0] = 5.0
    assert list(first) == [1.0, 2.0]


def test_what_nobody_knows_is_no_number():
    assert list(vectors.zeros(3)) == [0.0, 0.0, 0.0]
    assert all(math.isnan(one) for one in vectors.unknown(3))
