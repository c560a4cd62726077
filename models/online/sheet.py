"""Arms laid out in rows for predicting: what follows from the weights alone, made once.

Element by element, no matrix product: the same bytes on every processor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.online.posterior import Vector

SHEET = 512  # arms laid out at most
LEAST = 1e-12  # of a variance


class Parts(NamedTuple):
    """What an arm's logit is a sum of: its offer's part, its channel's, if any, and its level."""

    means: Vector
    covariances: Vector
    channel: tuple[Vector, Vector] | None  # means and variances
    mean: float
    variance: float


class Sheet:
    """The rows: they hold until `forget` names their offer or channel."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._stale: set[str] = set()
        self._resize(0)

    def _resize(self, terms: int) -> None:
        self._terms = terms
        # Above the diagonal each product stands for two.
        one, other = np.triu_indices(terms)
        self._upper = one * terms + other
        self._twice = np.where(one == other, 1.0, 2.0)
        self._diagonal = terms + np.flatnonzero(one == other)
        # A row is the means, then the covariances: it is multiplied by the terms, each as it is
        # (the first is 1), and by their products.
        self._one = np.concatenate([np.arange(terms), one])
        self._other = np.concatenate([np.zeros(terms, dtype=np.intp), other])
        self._rows.clear()
        self._stale.clear()
        self._laid = np.zeros((0, len(self._one)))

    def forget(self, offer: str, channel: str) -> None:
        """Let what was laid out of an offer's and a channel's arms be laid out anew."""
        for arm in self._rows:
            of, _, by = arm.partition("/")
            if of == offer or (channel and by == channel):
                self._stale.add(arm)

    def read(
        self, arms: Sequence[str], terms: Vector, parts: Callable[[str, int], Parts]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return means and variances of the arms' logits; `parts` tells an arm's."""
        if len(terms) != self._terms or len(self._rows) > SHEET:
            self._resize(len(terms))
        rows, stale = self._rows, self._stale
        places = [
            rows[arm] if arm in rows and arm not in stale else self._lay(arm, parts) for arm in arms
        ]
        products = terms.take(self._one)
        products *= terms.take(self._other)
        found = self._laid.take(places, axis=0)
        found *= products
        means: Vector = np.add.reduce(found[:, : self._terms], axis=1)
        variances: Vector = np.add.reduce(found[:, self._terms :], axis=1)
        return means, np.maximum(variances, LEAST, out=variances)

    def _lay(self, arm: str, parts: Callable[[str, int], Parts]) -> int:
        own, terms = parts(arm, self._terms), self._terms
        place = self._rows.get(arm)
        if place is None:
            place = self._rows[arm] = len(self._rows)
            self._laid = np.concatenate([self._laid, np.zeros((1, len(self._one)))])
        row = self._laid[place]
        row[:terms] = own.means
        np.multiply(own.covariances.ravel().take(self._upper), self._twice, out=row[terms:])
        if own.channel is not None:
            row[:terms] += own.channel[0]
            row[self._diagonal] += own.channel[1]
        row[0] += own.mean
        row[terms] += own.variance
        self._stale.discard(arm)
        return place
