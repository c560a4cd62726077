"""The offer model: P(conversion) of each arm in a context, how unsure that is, and what one brings.

An arm is an offer in a channel, "winback-20/email"; its logit is a sum of parts, so that
what is learnt of one arm helps the others: a level that all share, the offer's own level and
its weights on the context (full covariance), the channel's level and weights (each by
itself), and a level of the arm's own. A new offer starts where all are, with weights of
none: popularity first, affinity as it is learnt.

Each outcome is one Laplace step on the sum (`posterior`), which the parts share by how unsure
each is; between times their doubt drifts back to what it was at first, so old evidence fades.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

from librt.vecs import vec
from mypy_extensions import i64

from models.online.posterior import mode
from models.online.rows import Rows
from models.online.scaling import Moments, Scaler, sigmoid
from models.online.vectors import zeros

START = -2.2  # the shared level before anything was learnt: one in ten converts
LEVEL_VARIANCE, OFFER_VARIANCE, CHANNEL_VARIANCE, ARM_VARIANCE = 1.0, 1.0, 0.25, 0.1
WEIGHT_VARIANCE, CHANNEL_WEIGHT_VARIANCE = 0.1, 0.02  # of a weight by standard deviation
SPREAD = 3.0  # contexts are cut at this many standard deviations
TERMS = 48  # features, the first that came: an offer's covariance is a square of them
OFFERS, CHANNELS, ARMS = 64, 16, 256  # the least lately learnt give way to new ones
LEAST = 1e-12  # of a logit's variance
FADE_EVERY = 64  # outcomes between two fadings
BELIEF = 10.0  # conversions that the catalogue's word on an offer's margin counts for
MOST_MARGIN = 1e9

Level = list[float]  # mean and variance; of margins: conversions and the sum of what they brought


def parts_of(arm: str) -> tuple[str, str]:
    """Return an arm's offer and channel; the channel is empty where the arm has none."""
    offer, _, channel = arm.partition("/")
    return offer, channel


def conversion(logit: float, variance: float) -> float:
    """Return P(conversion), the doubt about the logit averaged over (MacKay 1992)."""
    return sigmoid(logit / math.sqrt(1.0 + math.pi / 8.0 * variance))


class OfferModel:
    """Learns from (context, arm, converted, margin); `learnt` counts outcomes: its version."""

    def __init__(self) -> None:
        self.learnt = 0
        self.scaler = Scaler(SPREAD, Moments)
        self.level: Level = [START, LEVEL_VARIANCE]
        self.offers = Rows(OFFERS, OFFER_VARIANCE, WEIGHT_VARIANCE, full=True)
        self.channels = Rows(CHANNELS, CHANNEL_VARIANCE, CHANNEL_WEIGHT_VARIANCE, full=False)
        self.arms: dict[str, Level] = {}
        self.margins: dict[str, Level] = {}  # by offer
        self.taken: dict[str, int] = {}  # units of a limited offer that are promised or given

    def predict_one(self, features: dict[str, float], arm: str) -> tuple[float, float]:
        """Return the mean and the variance of the arm's logit in this context."""
        means, variances = self.predict_arms(features, [arm])
        return means[0], variances[0]

    def predict_arms(
        self, features: dict[str, float], arms: Sequence[str]
    ) -> tuple[list[float], list[float]]:
        """Return means and variances of the arms' logits, in order, in one context.

        Without the doubt about the level: it moves all arms alike, and chooses between none.
        """
        terms = _terms(self.scaler.vector(features))
        means: list[float] = []
        variances: list[float] = []
        before = None
        offer_mean, offer_variance = 0.0, 0.0
        for arm in arms:
            offer, channel = parts_of(arm)
            if offer != before:  # an offer's arms stand side by side
                offer_mean, offer_variance = self.offers.part(offer, terms)
                before = offer
            mean, variance = self.channels.part(channel, terms) if channel else (0.0, 0.0)
            level = self.arms.get(arm)
            mean += self.level[0] + offer_mean + (0.0 if level is None else level[0])
            variance += offer_variance + (ARM_VARIANCE if level is None else level[1])
            means.append(mean)
            variances.append(max(LEAST, variance))
        return means, variances

    def margin(self, offer: str, stated: float) -> float:
        """Return what a conversion of the offer is expected to bring; `stated`: the catalogue's."""
        count, total = self.margins.get(offer, (0.0, 0.0))
        return (BELIEF * stated + total) / (BELIEF + count)

    def learn_one(
        self,
        features: dict[str, float],
        arm: str,
        converted: float,
        margin: float | None = None,
        half_life: float = 0.0,
    ) -> float:
        """Learn one outcome: whether it converted (0..1), and what that brought.

        Return P(conversion) as it was believed before.
        `half_life`: outcomes after which half of what was known is forgotten; 0: nothing is.
        """
        self.learnt += 1
        known = self.scaler.learn_one(features)
        distances = [0.0] * len(self.scaler.parts)
        for part, distance in known:
            distances[part.place] = distance
        offer, channel = parts_of(arm)
        label = min(1.0, max(0.0, converted))
        believed = self._step(_terms(distances), offer, channel, arm, label)
        if margin is not None and label > 0.0 and -MOST_MARGIN <= margin <= MOST_MARGIN:
            count, total = self.margins.get(offer, (0.0, 0.0))
            _newest(self.margins, offer, [count + 1.0, total + margin], OFFERS)
        if half_life > 0.0 and not self.learnt % FADE_EVERY:
            self._fade(0.5 ** (FADE_EVERY / half_life))
        return believed

    def take(self, offer: str, units: int) -> None:
        """Note that units of a limited offer were promised; a negative number gives some back."""
        left = max(0, self.taken.get(offer, 0) + units)
        if left:
            _newest(self.taken, offer, left, ARMS)
        else:
            self.taken.pop(offer, None)

    def _step(self, terms: vec[float], offer: str, channel: str, arm: str, label: float) -> float:
        rows = [(self.offers, offer), *([(self.channels, channel)] if channel else [])]
        levels = [self.level, self.arms.pop(arm, [0.0, ARM_VARIANCE])]
        looks = [row.look(name, terms) for row, name in rows]
        logit, variance = 0.0, 0.0
        for look in looks:
            logit += look.logit
            variance += look.variance
        for level in levels:
            logit += level[0]
            variance += level[1]
        chance = sigmoid(mode(logit, variance, label))
        error, doubt = label - chance, chance * (1.0 - chance)
        shrink = doubt / (1.0 + doubt * variance)
        for (row, _), look in zip(rows, looks, strict=True):
            row.learn(look, error, shrink)
        for level in levels:
            level[0] += level[1] * error
            level[1] -= level[1] * level[1] * shrink
        _newest(self.arms, arm, levels[1], ARMS)
        return conversion(logit, variance)

    def _fade(self, kept: float) -> None:
        self.offers.fade(kept)
        self.channels.fade(kept)
        self.level[1] = kept * self.level[1] + (1.0 - kept) * LEVEL_VARIANCE
        for level in self.arms.values():
            level[1] = kept * level[1] + (1.0 - kept) * ARM_VARIANCE
        for margin in self.margins.values():
            margin[0] *= kept
            margin[1] *= kept

    def to_state(self) -> dict[str, Any]:
        """Return all that a continuation needs, as JSON types."""
        return {
            "learnt": self.learnt,
            "scaler": self.scaler.to_state(),
            "level": list(self.level),
            "offers": self.offers.to_state(),
            "channels": self.channels.to_state(),
            "arms": {arm: list(level) for arm, level in self.arms.items()},
            "margins": {offer: list(margin) for offer, margin in self.margins.items()},
            "taken": dict(self.taken),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the model that `to_state` wrote, bit for bit."""
        model = cls()
        model.learnt = int(state["learnt"])
        model.scaler = Scaler.from_state(state["scaler"], SPREAD, Moments)
        model.level = [float(part) for part in state["level"]]
        model.offers.resume(state["offers"])
        model.channels.resume(state["channels"])
        model.arms = {arm: [float(one) for one in level] for arm, level in state["arms"].items()}
        model.margins = {
            offer: [float(one) for one in margin] for offer, margin in state["margins"].items()
        }
        model.taken = {offer: int(units) for offer, units in state["taken"].items()}
        return model


def _terms(distances: list[float]) -> vec[float]:
    """Return what weights are multiplied by: 1 for the level, then the distances by place."""
    size: i64 = min(TERMS, len(distances))
    found = zeros(size + 1)
    found[0] = 1.0
    for place in range(size):
        found[place + 1] = distances[place]
    return found


def _newest(kept: dict[str, Any], name: str, value: Any, most: int) -> None:
    """Keep the value as the newest one; the oldest gives way."""
    kept.pop(name, None)
    kept[name] = value
    if len(kept) > most:
        del kept[next(iter(kept))]
