"""Triangles: the products that NumPy makes of the whole symmetric matrix."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.online import triangle, vectors
from models.online.packing import pack_doubles, unpack_doubles

NUMBERS = st.floats(-1e3, 1e3)
MATRICES = st.integers(1, 6).flatmap(
    lambda size: st.tuples(
        arrays(float, (size, size), elements=NUMBERS).map(lambda square: square + square.T),
        arrays(float, size, elements=NUMBERS),
    )
)


def upper(matrix):
    return vectors.of(matrix[np.triu_indices(len(matrix))])


@given(MATRICES)
def test_products_and_quadratic_forms_are_the_whole_matrixs(drawn):
    matrix, terms = drawn
    found = vectors.of(terms)  # whatever stood there is written over
    form = triangle.times(upper(matrix), vectors.of(terms), found)
    np.testing.assert_allclose(list(found), matrix @ terms, atol=1e-6)
    np.testing.assert_allclose(form, terms @ matrix @ terms, atol=1e-2)
    alone = triangle.quadratic(upper(matrix), vectors.of([*terms, 9.0]), len(terms))
    np.testing.assert_allclose(alone, terms @ matrix @ terms, atol=1e-2)


@given(MATRICES, st.floats(-2, 2))
def test_a_square_is_taken_from_both_halves(drawn, scale):
    matrix, terms = drawn
    left = upper(matrix)
    triangle.subtract_square(left, vectors.of(terms), scale)
    expected = matrix - scale * np.outer(terms, terms)
    np.testing.assert_allclose(list(left), list(upper(expected)), atol=1e-6)


@given(MATRICES, st.integers(0, 3))
def test_a_widened_matrix_keeps_its_own_and_knows_nothing_of_what_is_new(drawn, more):
    matrix, terms = drawn
    size = len(terms)
    variances = np.arange(1.0, size + more + 1)
    expected = np.diag(variances)
    assert list(triangle.diagonal(vectors.of(variances))) == list(upper(expected))
    expected[:size, :size] = matrix
    wider = triangle.widened(upper(matrix), vectors.of(variances), size)
    assert list(wider) == list(upper(expected))


@given(st.lists(st.floats(allow_nan=False)))
def test_packed_doubles_come_back_bit_for_bit(numbers):
    assert list(map(repr, unpack_doubles(pack_doubles(vectors.of(numbers))))) == (
        list(map(repr, numbers))
    )
