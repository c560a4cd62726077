"""Step 5, decide: a customer at a moment -> the offer to make, "none" included.

Eligibility first, then Thompson sampling over what is left, with a uniform floor.
The chance comes from the decision's id alone, so a replay decides the same.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from models.catalogue import NONE, Eligibility, Offer
from models.customer import Customer
from models.features import features
from models.judge import Judge
from models.online.thompson import propensities
from models.profile import Trait
from models.records import Decision, Features, pack, unpack
from models.rhythm import DAY_MS

POLICY = "thompson-2"
HOLDOUT = "holdout"


def decide(customer: Customer, at_ms: int, cause: str, judge: Judge) -> Decision | None:
    """Return the decision to make now; None while one still stands or waits for its outcome."""
    if not judge.catalogue.offers or customer.awaited or standing(customer, at_ms) is not None:
        return None
    policy = judge.catalogue.policy
    held = is_held_out(customer.customer_id, judge)
    decision_id = f"offer:{customer.customer_id}:{at_ms}:{cause}"
    seen = _seen(customer, at_ms, cause, judge)
    offers = [] if held else eligible(customer, at_ms, judge)
    chances = _chances(offers, seen, judge) if offers else {NONE: 1.0}
    chosen = _draw(chances, _fraction(policy.seed, decision_id))
    offer = judge.catalogue.offer(chosen)
    return Decision(
        decision_id=decision_id,
        customer_id=customer.customer_id,
        at_ms=at_ms,
        expires_ms=at_ms + int(policy.valid_days * DAY_MS),
        cause=cause,
        offer=chosen,
        channel=offer.channels[0] if offer is not None else None,
        arm=chosen,
        propensity=chances[chosen],
        propensities=chances,
        model_version=judge.offers.learnt,
        policy=HOLDOUT if held else POLICY,
        holdout=held,
        features=seen,
    )


def _seen(customer: Customer, at_ms: int, cause: str, judge: Judge) -> Features:
    """Return the features at this moment: those of the score just made, if there is one."""
    risk = customer.risk
    if risk is not None and risk.at_ms == at_ms and risk.cause == cause:
        return risk.features
    return pack(features(customer, at_ms, judge.horizon_days, judge.population))


def standing(customer: Customer, at_ms: int) -> Decision | None:
    """Return the decision that still stands at `at_ms`, if any."""
    made = customer.offer
    return made if made is not None and at_ms < made.expires_ms else None


def is_held_out(customer_id: str, judge: Judge) -> bool:
    """Tell whether this customer is a control: by a hash of the id, so for good."""
    policy = judge.catalogue.policy
    return _fraction(policy.seed, f"holdout:{customer_id}") < policy.holdout


def eligible(customer: Customer, at_ms: int, judge: Judge) -> list[Offer]:
    """Return the offers that may be made to this customer now, in the catalogue's order."""
    made = customer.offers_made
    return [
        offer
        for offer in judge.catalogue.offers
        if made.get(offer.id, 0) < offer.cap
        and (offer.expires is None or at_ms < offer.expires.timestamp() * 1000)
        and _meets(customer, offer.eligible)
    ]


def _meets(customer: Customer, rule: Eligibility) -> bool:
    profile = customer.profile
    risk = customer.risk.probability if customer.risk is not None else 0.0
    return (
        profile.orders >= rule.min_orders
        and risk >= rule.min_risk
        and (rule.consent is None or _value(profile.consents.get(rule.consent)) is True)
        and (not rule.tiers or _value(profile.traits.get("tier")) in rule.tiers)
        and rule.subscribed in (None, _value(profile.subscription) == "active")
        and profile.products.keys().isdisjoint(rule.not_owned)
        and (
            rule.during_complaint or profile.tickets_opened.keys() <= profile.tickets_closed.keys()
        )
    )


def _value(said: Trait | None) -> str | float | bool | None:
    return None if said is None else said.value


def _chances(offers: list[Offer], seen: Features, judge: Judge) -> dict[str, float]:
    """Return the chance of each offer, and of making none, to be drawn."""
    policy = judge.catalogue.policy
    arms = [*[offer.id for offer in offers], NONE]
    means, variances = judge.offers.predict_arms(unpack(seen), arms)
    values = np.array([*[offer.value for offer in offers], policy.none_value])
    costs = np.array([*[offer.cost for offer in offers], 0.0])
    chances = propensities(means, variances, values, costs, policy.floor)
    return dict(zip(arms, chances, strict=True))


def _draw(chances: dict[str, float], fraction: float) -> str:
    passed = 0.0
    for arm, chance in chances.items():
        passed += chance
        if fraction < passed:
            return arm
    return max(chances, key=lambda arm: chances[arm])  # rounding left nothing to fall on


def _fraction(seed: str, subject: str) -> float:
    """Return a number in [0, 1) that follows from its arguments alone."""
    digest = blake2b(f"{seed}:{subject}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)
