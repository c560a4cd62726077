"""A symmetric matrix as its upper triangle, row by row: size * (size + 1) / 2 doubles in a `vec`.

Plain loops in the order of the places, so the same bits compiled or not, on every processor.
"""

from __future__ import annotations

from librt.vecs import vec
from mypy_extensions import i64

from models.online.vectors import zeros


def diagonal(variances: vec[float]) -> vec[float]:
    """Return the covariance of what knows nothing of each other."""
    size: i64 = len(variances)
    found = zeros(size * (size + 1) // 2)
    at: i64 = 0
    for row in range(size):
        found[at] = variances[row]
        at += size - row
    return found


def quadratic(triangle: vec[float], terms: vec[float], size: i64) -> float:
    """Return terms' * matrix * terms, for the first `size` terms: all that the matrix has."""
    total = 0.0
    at: i64 = 0
    for row in range(size):
        # Above the diagonal each product stands for two: so the diagonal's is halved.
        across = 0.5 * triangle[at] * terms[row]
        at += 1
        for column in range(row + 1, size):
            across += triangle[at] * terms[column]
            at += 1
        total += across * terms[row]
    return 2.0 * total


def times(triangle: vec[float], terms: vec[float], found: vec[float]) -> float:
    """Write matrix * terms over `found`, of the terms' size; return terms' * matrix * terms."""
    size: i64 = len(terms)
    for row in range(size):
        found[row] = 0.0
    total = 0.0
    at: i64 = 0
    for row in range(size):
        term = terms[row]
        of_row = triangle[at] * term
        at += 1
        for column in range(row + 1, size):
            each = triangle[at]
            of_row += each * terms[column]
            found[column] += each * term
            at += 1
        of_row += found[row]
        found[row] = of_row
        total += of_row * term
    return total


def subtract_square(triangle: vec[float], terms: vec[float], scale: float) -> None:
    """Take scale * terms * terms' from the matrix."""
    size: i64 = len(terms)
    at: i64 = 0
    for row in range(size):
        scaled = scale * terms[row]
        for column in range(row, size):
            triangle[at] -= scaled * terms[column]
            at += 1


def widened(triangle: vec[float], variances: vec[float], size: i64) -> vec[float]:
    """Return the matrix of `size` with more rows, up to `variances`' size, of these variances."""
    found = diagonal(variances)
    more: i64 = len(variances) - size
    at: i64 = 0
    to: i64 = 0
    for row in range(size):
        for _ in range(row, size):
            found[to] = triangle[at]
            at += 1
            to += 1
        to += more
    return found
