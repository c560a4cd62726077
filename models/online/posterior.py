"""The posterior of a logistic regression's weights: Gaussian, full covariance, online.

Each example is one Laplace step (Spiegelhalter & Lauritzen 1990): its likelihood bends the
posterior along one direction only, so the new mode is found by a search in one number, and
the covariance changes by rank one. Between times the covariance drifts back towards the
prior's, of which it never exceeds: old evidence fades, and nothing can blow up (forgetting
by division, 1/lambda, does). Element by element: a matrix product adds in an order that goes
by the processor.
"""

from __future__ import annotations

import base64
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.online.scaling import sigmoid

Vector = NDArray[np.float64]
# Doubt, p * (1 - p) summed, between two fadings: some 60 examples where labels are even, more
# where one is rare. What is rare must not be forgotten before it comes again.
FADE_EVERY = 12.0
STEPS = 40  # of the search for the mode, at most
NEAR = 1e-9  # in logits: the mode is found


class Posterior:
    """Means and covariance of the terms' weights; `variances` are the prior's."""

    def __init__(self, fade: float) -> None:
        self.fade = fade
        self.learnt = 0
        self.fresh = 0.0  # doubt since the last fading
        self.means: Vector = np.zeros(0)
        self.variances: Vector = np.zeros(0)
        self.covariance: Vector = np.zeros((0, 0))

    def insert(self, place: int, variance: float) -> None:
        """Make room for a term at `place`, whose weight is 0, give or take."""
        self.means = np.insert(self.means, place, 0.0)
        self.variances = np.insert(self.variances, place, variance)
        wider = np.insert(self.covariance, place, 0.0, axis=0)
        self.covariance = np.insert(wider, place, 0.0, axis=1)
        self.covariance[place, place] = variance

    def remove(self, place: int) -> None:
        """Take a term away; what is known of the others stays."""
        self.means = np.delete(self.means, place)
        self.variances = np.delete(self.variances, place)
        self.covariance = np.delete(np.delete(self.covariance, place, axis=0), place, axis=1)

    def strength(self, place: int) -> float:
        """Return the square of a weight's distance from 0, in its own deviations."""
        variance = float(self.covariance[place, place])
        return float(self.means[place]) ** 2 / variance if variance > 0.0 else 0.0

    def correction(self, terms: Vector) -> float:
        """Return the terms' sum by the mean weights."""
        return float(np.add.reduce(self.means * terms))

    def learn_one(self, terms: Vector, logit: float, label: float) -> None:
        """Take in one example of which `logit` was predicted."""
        gain = np.add.reduce(self.covariance * terms[:, None], axis=0)
        variance = max(0.0, float(np.add.reduce(gain * terms)))
        chance = sigmoid(mode(logit, variance, label))
        doubt = chance * (1.0 - chance)
        self.means += gain * (label - chance)
        gain *= (doubt / (1.0 + doubt * variance)) ** 0.5
        self.covariance -= gain[:, None] * gain
        self.learnt += 1
        self.fresh += doubt
        if self.fresh >= FADE_EVERY:
            self.fresh = 0.0
            self.covariance *= 1.0 - self.fade
            np.einsum("ii->i", self.covariance)[:] += self.fade * self.variances

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        return {
            "learnt": self.learnt,
            "fresh": self.fresh,
            "variances": pack(self.variances),
            "means": pack(self.means),
            # It is symmetric to the bit: one half tells the other.
            "covariance": pack(self.covariance[np.triu_indices(len(self.means))]),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], fade: float) -> Self:
        """Return the posterior that `to_state` wrote, bit for bit."""
        posterior = cls(fade)
        posterior.learnt, posterior.fresh = int(state["learnt"]), float(state["fresh"])
        posterior.means, posterior.variances = unpack(state["means"]), unpack(state["variances"])
        size = len(posterior.means)
        rows, columns = np.triu_indices(size)
        posterior.covariance = np.zeros((size, size))
        posterior.covariance[rows, columns] = unpack(state["covariance"])
        posterior.covariance[columns, rows] = posterior.covariance[rows, columns]
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
    return base64.b64encode(numbers.astype("<f8").tobytes()).decode()


def unpack(text: str) -> Vector:
    """Read what `pack` wrote, bit for bit."""
    return np.frombuffer(base64.b64decode(text), dtype="<f8").astype(np.float64)
