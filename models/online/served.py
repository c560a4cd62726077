"""What scorers get of a model: weights, means and scales; cheap, additive, explained exactly.

A prediction is a sum of shares in the logit: the population's own (BASE), and each feature's
against the population's mean. Whatever candidate is served, it is served in this one form.
"""

from __future__ import annotations

from functools import cached_property
from typing import Self

import msgspec
from msgspec import Raw, Struct

from models.online.forks import Fork, Former
from models.online.scaling import sigmoid
from models.online.scorecard import Scorecard
from models.online.shares import BASE, Cross, Term


class Served(Struct, frozen=True, dict=True):
    """A binary model as scorers hold it. `learnt` counts examples: its version.

    The logit is `intercept`, plus `prior` times the lifetime prior's logit, plus the terms,
    plus the crosses (products of two columns, or one column alone: right is -1), plus the
    trees (small ones, over the features that `forked` names; what they add is in ticks, each
    worth `tick`); and that calibrated: start + slope * logit + bend * tanh(logit). Unknown
    features count nothing, missing ones are the mean. `forks` are the trees of a snapshot up to
    format 5.
    """

    candidate: str
    learnt: int = 0
    intercept: float = 0.0
    prior: float = 1.0
    prior_mean: float = 0.0
    terms: dict[str, Term] = {}
    columns: list[tuple[str, float]] = []
    crosses: list[Cross] = []
    forked: list[str] = []
    forks: list[Former] = []
    trees: list[Fork] = []
    tick: float = 0.0
    start: float = 0.0
    slope: float = 1.0
    bend: float = 0.0

    @classmethod
    def untrained(cls) -> Self:
        """Return the model that has seen nothing: the lifetime prior alone."""
        return cls("prior")

    def chance(self, x: dict[str, float]) -> float:
        """Return P(label is 1)."""
        return sigmoid(self.card.by_name(x).logit())

    def explain_one(self, x: dict[str, float]) -> dict[str, float]:
        """Return each feature's share of the logit, BASE for the rest: they sum to it.

        A share is against the population: of a feature at its mean it is 0. A cross's share
        is split evenly over its two features, a tree's as `models.online.forks` says;
        calibration stretches all alike.
        """
        found, names = self.card.by_name(x), self.card.names()
        return {BASE: found.base} | {names[at]: found.by_place[at] for at in found.told}

    @cached_property
    def card(self) -> Scorecard:
        """The model laid out to predict by, once."""
        return Scorecard(self)


encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Served).decode


def decode(value: bytes | str | Raw) -> Served:
    """Read what `encode` wrote. Raises msgspec.ValidationError on anything else."""
    return _decode(value)
