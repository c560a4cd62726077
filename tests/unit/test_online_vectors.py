"""Vectors: the sums and products that NumPy makes, in the order of the places."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.online import vectors

NUMBERS = st.floats(-1e3, 1e3)
SQUARES = st.integers(1, 6).flatmap(
    lambda size: st.tuples(
        arrays(float, (size, size), elements=NUMBERS), arrays(float, size, elements=NUMBERS)
    )
)


@given(SQUARES)
def test_times_is_the_matrix_product_and_the_quadratic_form(
    given_: tuple[np.ndarray, np.ndarray],
) -> None:
    square, terms = given_
    found = vectors.zeros(len(terms))
    form = vectors.times(vectors.of(square.ravel()), vectors.of(terms), found)
    np.testing.assert_allclose(list(found), square @ terms, atol=1e-6)
    np.testing.assert_allclose(form, terms @ square @ terms, atol=1e-2)


@given(SQUARES, st.floats(-2, 2))
def test_a_square_taken_away_leaves_a_symmetric_matrix(
    given_: tuple[np.ndarray, np.ndarray], scale: float
) -> None:
    square, terms = given_
    square = square + square.T
    left = vectors.of(square.ravel())
    vectors.subtract_square(left, vectors.of(terms), scale)
    after = np.array(list(left)).reshape(square.shape)
    np.testing.assert_array_equal(after, after.T)
    np.testing.assert_allclose(after, square - scale * np.outer(terms, terms), atol=1e-6)


def test_a_copy_keeps_its_own_numbers() -> None:
    first = vectors.of([1.0, 2.0])
    second = vectors.copied(first)
    second[0] = 5.0
    assert list(first) == [1.0, 2.0]
    assert vectors.dot(first, vectors.of([3.0, 4.0, 5.0])) == 11.0
