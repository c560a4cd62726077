"""A stable of candidates for one binary model, all taught by the same examples in one order.

Each predicts an example before it learns it, so all can be compared at any time. They share
one scaler and start from one offset (the lifetime prior, or the base rate where no feature
carries a prior) and learn what corrects it: with few labels all are the prior. River's own
regression alone starts from nothing.
"""

from __future__ import annotations

import math
from typing import Any, Self

from librt.vecs import vec

from models.online import collapse, vectors
from models.online.bayes import Bayes
from models.online.blend import Blend
from models.online.boosting import TICKS
from models.online.calibration import AS_IT_IS
from models.online.crosses import Crosses
from models.online.logit import Known, Logit, Weight
from models.online.river_pipeline import RiverPipeline
from models.online.scaling import Scaler, sigmoid
from models.online.served import Served
from models.online.shares import PRIOR, SPREAD, prior_of
from models.online.stacking import SHARERS
from models.online.trees import Trees

CANDIDATES: tuple[str, ...] = (*SHARERS, "blend", "river")


class _Seen:
    """An example as the candidates see it, and what each says of it.

    `named`: the distances, as River takes them; `distances`: by place; `said`: by the trees;
    `logits`: of all that share the scaler.
    """

    def __init__(
        self,
        known: Known,
        named: dict[str, float],
        distances: vec[float],
        terms: vec[float],
        crossed: vec[float],
        said: int,
        logits: dict[str, float],
    ) -> None:
        self.known, self.named, self.distances = known, named, distances
        self.terms, self.crossed, self.said, self.logits = terms, crossed, said, logits


class Stable:
    """The candidates by name; `learnt` counts examples: their version."""

    def __init__(self) -> None:
        self.learnt = 0
        self.positives = 0
        self.scaler = Scaler(SPREAD, Weight)
        self._names: list[str] = []  # of the scaler's features, by place
        self.logit = Logit()
        self.bayes = Bayes()
        self.crosses = Crosses()
        self.trees = Trees()
        self.blend = Blend()
        self.river = RiverPipeline()

    def chance(self, candidate: str, x: dict[str, float]) -> float:
        """Return P(label is 1) by one of CANDIDATES. Raises KeyError on another name."""
        return self.chances(x)[candidate]

    def chances(self, x: dict[str, float]) -> dict[str, float]:
        """Return P(label is 1) by each candidate."""
        seen = self._see(self.scaler.distances(x), self._offset(x))
        return self._chances(seen)

    def learn_one(self, x: dict[str, float], y: float, w: float = 1.0) -> dict[str, float]:
        """Learn one example, label `y` 1 or 0; return each candidate's P before learning it.

        `w`: what it counts with `crosses` and `blend`, at most 1 (see models.overlap); with the
        others each counts the same, which was measured to be better.
        """
        label = 1.0 if y >= 0.5 else 0.0
        offset = self._offset(x)
        seen = self._see(self.scaler.observe(x), offset)
        chances = self._chances(seen)
        logits, parts = seen.logits, self.scaler.parts
        self.logit.learn_one(seen.known, chances["logit"] - label)
        self.bayes.learn_one(seen.terms, offset, label)
        surprise = label - chances["crosses"]
        self.crosses.learn_one(seen.crossed, seen.distances, logits["crosses"], surprise, label, w)
        wanted = "trees" in self.blend.parts()[1]
        self.trees.learn_one(seen.distances, seen.said, offset, label, wanted)
        self.blend.learn_one(logits, label, w)
        self.river.learn_one(seen.named, label > 0.0)
        self.bayes.reach(len(parts))
        self.crosses.reach(len(parts))
        self.learnt += 1
        self.positives += label > 0.0
        return chances

    def served(self, candidate: str) -> Served:
        """Return one of CANDIDATES as scorers take it. Raises KeyError on another name."""
        if candidate == "river":
            intercept = float(self.river.regression.intercept)
            return Served(
                candidate, self.learnt, intercept, 0.0, 0.0, self.river.terms(self.scaler.parts)
            )
        if candidate not in CANDIDATES:
            raise KeyError(candidate)
        blended = candidate == "blend"
        shift, mix = self.blend.parts() if blended else (0.0, {candidate: 1.0})
        curve = self.blend.curve() if blended else AS_IT_IS
        stretch = sum(mix.values())
        parts, prior = self.scaler.parts, self._prior_mean()
        columns, crosses = collapse.products(mix.get("crosses", 0.0), parts, self.crosses)
        share = mix.get("trees", 0.0)
        forked, trees, level = collapse.forest(share, parts, self.trees)
        start = self._base() if prior is None else 0.0
        return Served(
            candidate=candidate,
            learnt=self.learnt,
            intercept=shift
            + level
            + stretch * start
            + collapse.intercept(mix, self.logit, self.bayes, self.crosses),
            prior=0.0 if prior is None else stretch,
            prior_mean=prior or 0.0,
            terms=collapse.terms(mix, parts, self.bayes, self.crosses),
            columns=columns,
            crosses=crosses,
            forked=forked,
            trees=trees,
            tick=share / TICKS,
            start=curve.start,
            slope=curve.slope,
            bend=curve.bend,
        )

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        return {
            "learnt": self.learnt,
            "positives": self.positives,
            "scaler": self.scaler.to_state(),
            "logit": self.logit.to_state(self.scaler.parts),
            "bayes": self.bayes.to_state(),
            "crosses": self.crosses.to_state(),
            "trees": self.trees.to_state(),
            "blend": self.blend.to_state(),
            "river": self.river.to_state(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the stable that `to_state` wrote, bit for bit."""
        stable = cls()
        stable.learnt = int(state["learnt"])
        stable.positives = int(state["positives"])
        stable.scaler = Scaler.from_state(state["scaler"], SPREAD, Weight)
        stable.logit = Logit.from_state(state["logit"], stable.scaler.parts)
        stable.bayes = Bayes.from_state(state["bayes"])
        stable.crosses = Crosses.from_state(state["crosses"])
        stable.trees = Trees.from_state(state["trees"])
        stable.blend = Blend.from_state(state["blend"])
        stable.river = RiverPipeline.from_state(state["river"])
        return stable

    def _see(self, known: Known, offset: float) -> _Seen:
        """Return what the candidates that share the scaler say."""
        parts, names = self.scaler.parts, self._names
        if len(names) < len(parts):
            names += list(parts)[len(names) :]
        distances, named = vectors.zeros(len(parts)), {}
        for part, distance in known:
            distances[part.place] = distance
            named[names[part.place]] = distance
        terms = self.bayes.terms(distances)
        crossed = self.crosses.terms(distances)
        said = self.trees.said(distances)
        logits = {
            "prior": offset,
            "logit": offset + self.logit.correction(known),
            "bayes": offset + self.bayes.correction(terms),
            "crosses": offset + self.crosses.posterior.correction(crossed),
            "trees": offset + said / TICKS,
        }
        return _Seen(known, named, distances, terms, crossed, said, logits)

    def _chances(self, seen: _Seen) -> dict[str, float]:
        chances = {name: sigmoid(logit) for name, logit in seen.logits.items()}
        chances["blend"] = sigmoid(self.blend.logit(seen.logits))
        chances["river"] = self.river.chance(seen.named)
        return chances

    def _offset(self, x: dict[str, float]) -> float:
        """Return the logit that all start from: the prior's, where features carry one."""
        prior = prior_of(x) if PRIOR in x else None
        if prior is not None:
            return prior
        usual = self._prior_mean()
        return self._base() if usual is None else usual

    def _prior_mean(self) -> float | None:
        """Return the prior's usual logit; None where features carry none."""
        part = self.scaler.parts.get(PRIOR)
        if part is None:
            return None if self.learnt else 0.0
        return part.mean

    def _base(self) -> float:
        """Return the logit of the labels' rate so far (with Jeffreys' half a label of each)."""
        return math.log((self.positives + 0.5) / (self.learnt - self.positives + 0.5))
