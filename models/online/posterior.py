"""The posterior of a logistic regression's weights: Gaussian, full covariance, online.

Each example is one Laplace step (Spiegelhalter & Lauritzen 1990): its likelihood bends the
posterior along one direction only, so the new mode is found by a search in one number, and
the covariance changes by rank one. Between times the covariance drifts back towards the
prior's, of which it never exceeds: old evidence fades, and nothing can blow up (forgetting
by division, 1/lambda, does). Element by element: a matrix product adds in an order that goes
by the processor. Of the covariance the half up to the diagonal counts.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable
from typing import Any, Final, Self

import numpy as np
from librt.vecs import vec
from numpy.typing import NDArray

from models.online import kernels
from models.online.kernels import Vector, triangle
from models.online.scaling import sigmoid

# Doubt, p * (1 - p) summed, between two fadings: some 60 examples where labels are even, more
# where one is rare. What is rare must not be forgotten before it comes again.
FADE_EVERY: Final = 12.0
STEPS: Final = 40  # of the search for the mode, at most
NEAR: Final = 1e-9  # in logits: the mode is found


class Posterior:
    """Means and covariance of the terms' weights; `variances` are the prior's."""

    def __init__(self, fade: float, variances: Iterable[float] = ()) -> None:
        self.fade = fade
        self.learnt = 0
        self.fresh = 0.0  # doubt since the last fading
        first = np.array(list(variances), dtype=np.float64)
        self._keep(np.zeros(len(first)), first, np.diag(first))

    def _keep(self, means: Vector, variances: Vector, covariance: Vector) -> None:
        self.means = kernels.of(means.tolist())
        self.variances = kernels.of(variances.tolist())
        self._covariance = kernels.of(covariance.ravel().tolist())
        self._gain = kernels.zeros(len(means))

    @property
    def covariance(self) -> Vector:
        """A copy of the covariance of the terms' weights, a square."""
        size = len(self.means)
        lower = np.tril(kernels.array(self._covariance).reshape(size, size))
        return lower + np.tril(lower, -1).T

    def insert(self, place: int, variance: float) -> None:
        """Make room for a term at `place`, whose weight is 0, give or take."""
        wider = np.insert(np.insert(self.covariance, place, 0.0, axis=0), place, 0.0, axis=1)
        wider[place, place] = variance
        self._keep(
            np.insert(kernels.array(self.means), place, 0.0),
            np.insert(kernels.array(self.variances), place, variance),
            wider,
        )

    def remove(self, place: int) -> None:
        """Take a term away; what is known of the others stays."""
        self._keep(
            np.delete(kernels.array(self.means), place),
            np.delete(kernels.array(self.variances), place),
            np.delete(np.delete(self.covariance, place, axis=0), place, axis=1),
        )

    def copied(self, fade: float) -> Posterior:
        """Return what is known now, to go on by itself and to fade by `fade`."""
        posterior = Posterior(fade)
        posterior.learnt, posterior.fresh = self.learnt, self.fresh
        means, variances = kernels.array(self.means), kernels.array(self.variances)
        posterior._keep(means, variances, self.covariance)
        return posterior

    def strength(self, place: int) -> float:
        """Return the square of a weight's distance from 0, in its own deviations."""
        mean, variance = self.means[place], self._covariance[place * (len(self.means) + 1)]
        return float(mean * mean / variance) if variance > 0.0 else 0.0

    def weights(self) -> list[float]:
        """Return the terms' mean weights."""
        return [float(mean) for mean in self.means]

    def correction(self, terms: vec[float]) -> float:
        """Return the terms' sum by the mean weights."""
        return kernels.dot(self.means, terms)

    def learn_one(self, terms: vec[float], logit: float, label: float, weight: float = 1.0) -> None:
        """Take in one example of which `logit` was predicted; its likelihood, to this power."""
        gain = self._gain
        variance = max(0.0, kernels.times(self._covariance, terms, gain))
        chance = sigmoid(mode(logit, weight * variance, label))
        doubt = weight * chance * (1.0 - chance)
        kernels.add(self.means, gain, weight * (label - chance))
        shrink = math.sqrt(doubt / (1.0 + doubt * variance))
        kernels.subtract_square(self._covariance, gain, shrink)
        self.learnt += 1
        self.fresh += doubt
        if self.fresh >= FADE_EVERY:
            self.fresh = 0.0
            kernels.fade(self._covariance, self.variances, self.fade)

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        size = len(self.means)
        columns, rows = triangle(size)
        return {
            "learnt": self.learnt,
            "fresh": self.fresh,
            "variances": pack(kernels.array(self.variances)),
            "means": pack(kernels.array(self.means)),
            # It is symmetric to the bit: one half tells the other.
            "covariance": pack(kernels.array(self._covariance).take(rows * size + columns)),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], fade: float) -> Self:
        """Return the posterior that `to_state` wrote, bit for bit."""
        posterior = cls(fade)
        posterior.learnt, posterior.fresh = int(state["learnt"]), float(state["fresh"])
        means = unpack(state["means"])
        rows, columns = triangle(len(means))
        covariance = np.zeros((len(means), len(means)))
        covariance[rows, columns] = covariance[columns, rows] = unpack(state["covariance"])
        posterior._keep(means, unpack(state["variances"]), covariance)
        return posterior


def mode(logit: float, variance: float, label: float) -> float:
    """Return the likeliest logit after a label, of which `logit` and `variance` were held.

    It solves m = logit + variance * (label - sigmoid(m)): Newton's method, and halving the
    bounds that each step narrows wherever Newton's step does not halve.
    """
    low, high = (logit, logit + variance) if label >= 0.5 else (logit - variance, logit)
    found, before = logit, high - low
    for _ in range(STEPS):
        chance = sigmoid(found)
        error = found - logit - variance * (label - chance)
        if error > 0.0:
            high = found
        else:
            low = found
        step = error / (1.0 + variance * chance * (1.0 - chance))
        if -NEAR < step < NEAR:
            break
        if not low <= found - step <= high or 2.0 * abs(step) > before:
            step = found - 0.5 * (low + high)
        found, before = found - step, abs(step)
    return found


def pack(numbers: NDArray[Any]) -> str:
    """Write numbers as base64 of little-endian doubles."""
    return base64.b64encode(numbers.astype("<f8", copy=False).tobytes()).decode()


def unpack(text: str) -> Vector:
    """Read what `pack` wrote, bit for bit."""
    return np.frombuffer(base64.b64decode(text), dtype="<f8").astype(np.float64)
