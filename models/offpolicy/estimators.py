"""The estimators of a policy's value, each as one term a decision; their mean is the estimate.

`weights` are pi(a|x) / p(a|x): how much likelier the policy was to take the arm that was
taken. Unbiased as long as the log could take every arm that the policy takes.
"""

from __future__ import annotations

import numpy as np

from models.offpolicy.logged import Floats


def importance(target: Floats, propensities: Floats) -> Floats:
    """Return the weights: the target's probability of each arm taken over the log's."""
    return target / propensities


def ips(rewards: Floats, weights: Floats) -> Floats:
    """Inverse propensity score (Horvitz & Thompson 1952; Strehl et al. 2010)."""
    return rewards * weights


def snips(rewards: Floats, weights: Floats) -> Floats:
    """IPS divided by the mean weight (Swaminathan & Joachims 2015): steadier, biased a little.

    0 when the policy would have taken none of the arms that were taken.
    """
    mean = weights.mean()
    return rewards * weights / mean if mean > 0 else np.zeros_like(rewards)


def direct(target: Floats, expected: Floats) -> Floats:
    """Return the direct method: a reward model's expectations, n x k, under the target, n x k.

    Unbiased no more than the model is.
    """
    terms: Floats = (target * expected).sum(axis=1)
    return terms


def doubly_robust(
    rewards: Floats, weights: Floats, expected_of_taken: Floats, dm: Floats
) -> Floats:
    """Correct the direct method's errors by IPS (Dudik, Langford & Li 2011).

    Unbiased if either the propensities are right or the model is. `dm`: terms of `direct`.
    """
    return dm + weights * (rewards - expected_of_taken)


def clipped(weights: Floats, most: float) -> Floats:
    """Cut weights at `most` (Ionides 2008): less variance, and a bias to the log's own arms."""
    return np.minimum(weights, most)


def effective_sample(weights: Floats) -> float:
    """How many decisions of the policy's own would tell as much (Kish 1965)."""
    squares = float(weights @ weights)
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0
