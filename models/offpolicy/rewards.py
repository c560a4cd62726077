"""What each arm is expected to earn in a context: a ridge regression an arm, around a shared one.

Cross-fitted: customers fall into FOLDS by their hash, and a decision's expectation comes from a
model that saw none of its customer's fold (Chernozhukov et al. 2018). It is fitted from sums
alone, so the log may be of any length. A poor fit costs width of an interval, never its place:
that is what doubly robust means.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.offpolicy.logged import Floats, Logged

FOLDS = 5
# Pseudo-decisions that hold the shared weights at zero, and an arm's at the shared ones.
SHARED_HOLD = 10.0
ARM_HOLD = 50.0
LEVEL_HOLD = 5.0  # an arm's level, of which decisions tell more


def context(features: Floats) -> Floats:
    """Return the features as the regression takes them, n x (1 + d): cut to size, 1 in front.

    Long tails are drawn in by sign(x) log(1 + |x|); what is unknown or infinite counts as 0.
    """
    known = np.where(np.isfinite(features), features, 0.0)
    drawn_in = np.copysign(np.log1p(np.abs(known)), known)
    return np.hstack([np.ones((len(features), 1)), drawn_in])


class RewardModel:
    """Sums by fold and arm, then weights from them: `add` every portion, then `fit`, then ask."""

    def __init__(self, arms: int, features: int) -> None:
        wide = 1 + features
        self._squares: Floats = np.zeros((FOLDS, arms, wide, wide))
        self._products: Floats = np.zeros((FOLDS, arms, wide))
        self._weights: Floats = np.zeros((FOLDS, wide, arms))

    def add(self, log: Logged) -> None:
        """Take in a portion of the log."""
        seen, folds = context(log.features), fold(log.customers)
        groups = folds * self._squares.shape[1] + log.chosen
        for group in np.unique(groups):
            rows = groups == group
            at = divmod(int(group), self._squares.shape[1])
            self._squares[at] += seen[rows].T @ seen[rows]
            self._products[at] += seen[rows].T @ log.rewards[rows]

    def fit(self) -> None:
        """Compute the weights of each fold from the sums of the others."""
        for out in range(FOLDS):
            # Added up anew: to take a fold off the whole would leave its rounding behind.
            others = [number for number in range(FOLDS) if number != out]
            squares, products = (
                self._squares[others].sum(axis=0),
                self._products[others].sum(axis=0),
            )
            self._weights[out] = _fit(squares, products)

    def expected(self, log: Logged) -> Floats:
        """Return what each arm is expected to earn: n x k."""
        seen, folds = context(log.features), fold(log.customers)
        answers = np.zeros((len(log), self._weights.shape[2]))
        for number in range(FOLDS):
            rows = folds == number
            answers[rows] = seen[rows] @ self._weights[number]
        return answers


def fold(customers: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Return each customer's fold."""
    # The hash's upper bits, mixed: neighbours must not share a fold.
    with np.errstate(over="ignore"):
        mixed = (customers ^ (customers >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    return ((mixed >> np.uint64(40)) % np.uint64(FOLDS)).astype(np.intp)


def _fit(squares: Floats, products: Floats) -> Floats:
    """Return weights, (1 + d) x arms, from sums by arm."""
    pooled, wanted = squares.sum(axis=0), products.sum(axis=0)
    count = pooled[0, 0]
    if count == 0:
        return np.zeros((squares.shape[1], squares.shape[0]))
    scale = _standard(pooled / count)
    hold = np.full(len(pooled), SHARED_HOLD)
    hold[0] = 1e-9 * count  # the level is free
    shared = np.linalg.solve(scale.T @ pooled @ scale + np.diag(hold), scale.T @ wanted)
    hold = np.full(len(pooled), ARM_HOLD)
    hold[0] = LEVEL_HOLD
    weights = np.empty((len(pooled), len(squares)))
    for arm, (own, earned) in enumerate(zip(squares, products, strict=True)):
        own, earned = scale.T @ own @ scale, scale.T @ earned
        weights[:, arm] = shared + np.linalg.solve(own + np.diag(hold), earned - own @ shared)
    fitted: Floats = scale @ weights
    return fitted


def _standard(moments: Floats) -> Floats:
    """Return the matrix that standardises a context, from its mean outer product.

    A feature that never varied becomes 0: nothing can be learnt of it.
    """
    means = moments[0]
    variances = np.diag(moments) - means**2
    varies = variances > 1e-9 * (1.0 + means**2)
    scale = np.diag(np.where(varies, 1.0 / np.sqrt(np.where(varies, variances, 1.0)), 0.0))
    scale[0] = -means @ scale
    scale[0, 0] = 1.0
    return scale
