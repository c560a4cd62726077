"""The stream's offer model as a bandit that can be tried on rows."""

from __future__ import annotations

from models.catalogue import Policy
from models.online.encoding import Encoder
from models.online.offers import OfferModel, conversion, parts_of
from models.online.prequential_offers import Choice, Offered
from models.online.thompson import propensities

LEAST = 1e-8  # variance of an arm that nothing is in doubt about


class Thompson:
    """The stream's offer model as a bandit; `stated`: what a conversion brings, before any came."""

    def __init__(self, stated: float = 1.0, policy: Policy | None = None) -> None:
        self.model = OfferModel()
        self.encoder = Encoder()
        self.stated, self.policy = stated, policy or Policy()

    def decide_one(self, choice: Choice) -> Offered:
        """Return the arms' propensities and believed rewards."""
        seen = self.encoder.encode_one(choice.features)
        arms = list(choice.eligible)
        means, variances = self.model.predict_arms(seen, arms)
        worths = [self.model.margin(parts_of(arm)[0], self.stated) for arm in arms]
        policy = self.policy
        doubt = [max(LEAST, policy.boldness**2 * variance) for variance in variances]
        chances = propensities(means, doubt, worths, [0.0] * len(arms), policy.floor)
        beliefs = [
            worth * conversion(logit, variance)
            for worth, logit, variance in zip(worths, means, variances, strict=True)
        ]
        return Offered(
            dict(zip(arms, chances, strict=True)), dict(zip(arms, beliefs, strict=True)), seen
        )

    def learn_one(self, offered: Offered, arm: str, reward: float) -> None:
        """Learn whether an arm converted, and what that brought."""
        converted = reward > 0.0
        self.model.learn_one(
            dict(offered.seen),
            arm,
            float(converted),
            reward if converted else None,
            half_life=self.policy.half_life,
        )
