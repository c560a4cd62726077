"""Step 5, decide: a customer at a moment -> the offer to make, "none" included.

Eligibility first, then Thompson sampling over what is left, with a uniform floor.
The chance comes from the decision's id alone, so a replay decides the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from models.catalogue import NONE, Eligibility, Offer
from models.customer import Customer
from models.features import features
from models.judge import Judge
from models.online.thompson import Arm, propensities
from models.records import Decision, pack
from models.rhythm import DAY_MS

POLICY = "thompson-1"
HOLDOUT = "holdout"


def decide(customer: Customer, at_ms: int, cause: str, judge: Judge) -> Decision | None:
    """Return the decision to make now; None while one still stands or waits for its outcome."""
    if not judge.catalogue.offers or customer.awaited or standing(customer, at_ms) is not None:
        return None
    policy = judge.catalogue.policy
    held = is_held_out(customer.customer_id, judge)
    decision_id = f"offer:{customer.customer_id}:{at_ms}:{cause}"
    seen = features(customer, at_ms, judge.horizon_days)
    offers = [] if held else list(eligible(customer, at_ms, judge))
    chances = propensities(_arms(offers, seen, judge), policy.floor)
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
        propensity=chances[chosen],
        propensities=chances,
        model_version=judge.offers.learnt,
        policy=HOLDOUT if held else POLICY,
        holdout=held,
        features=pack(seen),
    )


def standing(customer: Customer, at_ms: int) -> Decision | None:
    """Return the decision that still stands at `at_ms`, if any."""
    made = customer.offer
    return made if made is not None and at_ms < made.expires_ms else None


def is_held_out(customer_id: str, judge: Judge) -> bool:
    """Tell whether this customer is a control: by a hash of the id, so for good."""
    policy = judge.catalogue.policy
    return _fraction(policy.seed, f"holdout:{customer_id}") < policy.holdout


def eligible(customer: Customer, at_ms: int, judge: Judge) -> Iterable[Offer]:
    """Yield the offers that may be made to this customer now, in the catalogue's order."""
    for offer in judge.catalogue.offers:
        expired = offer.expires is not None and at_ms >= offer.expires.timestamp() * 1000
        capped = customer.offers_made.get(offer.id, 0) >= offer.cap
        if not expired and not capped and _meets(customer, offer.eligible):
            yield offer


def _meets(customer: Customer, rule: Eligibility) -> bool:
    profile = customer.profile
    consent = profile.consents.get(rule.consent) if rule.consent else None
    tier = profile.traits.get("tier")
    active = profile.subscription is not None and profile.subscription.value == "active"
    risk = customer.risk.probability if customer.risk is not None else 0.0
    calm = profile.tickets_opened.keys() <= profile.tickets_closed.keys()
    return (
        (rule.consent is None or (consent is not None and consent.value is True))
        and not any(product in profile.products for product in rule.not_owned)
        and profile.orders >= rule.min_orders
        and (not rule.tiers or (tier is not None and tier.value in rule.tiers))
        and rule.subscribed in (None, active)
        and (calm or rule.during_complaint)
        and risk >= rule.min_risk
    )


def _arms(offers: list[Offer], seen: dict[str, float], judge: Judge) -> list[Arm]:
    worth = [(offer.id, offer.value, offer.cost) for offer in offers]
    worth.append((NONE, judge.catalogue.policy.none_value, 0.0))
    logits = judge.offers.predict_arms(seen, (id for id, _, _ in worth))
    return [
        Arm(id, mean, variance, value, cost)
        for (id, value, cost), (mean, variance) in zip(worth, logits, strict=True)
    ]


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
