"""Step 5, decide: a customer at a moment -> the offer to make and its channel, or none.

Eligibility first, then Thompson sampling over the arms that are left, with a uniform floor.
The chance comes from the decision's id alone, so a replay decides the same; the chances that
are recorded are those that were drawn from.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from msgspec.structs import replace

from models.catalogue import NONE, Arm
from models.customer import Customer
from models.eligibility import Refusal, considered, eligible
from models.holdout import fraction, held, is_held_out
from models.judge import Judge
from models.offer_context import context
from models.online.offers import OfferModel, conversion
from models.online.thompson import propensities
from models.outcomes import HOLDOUT
from models.records import NO_FEATURES, Decision, pack
from models.rhythm import DAY_MS

POLICY = "thompson-4"
LEAST = 1e-4  # of a deviation, and of the margin that a conversion is expected to bring


class Chances(NamedTuple):
    """What is drawn from, and what it was made of: by arm in one order, none last."""

    chances: dict[str, float]
    means: list[float]  # of the logit that the arm converts
    deviations: list[float]  # of that logit, as far as it is explored by
    margins: list[float]  # expected of a conversion


class Considered(NamedTuple):
    """One arm as it stands for a customer; of a refused one there are no figures."""

    arm: str
    refusal: Refusal | None = None
    propensity: float = 0.0
    conversion: float | None = None  # P(conversion)
    worth: float | None = None  # expected margin, the arm's cost taken off


def decide(customer: Customer, at_ms: int, cause: str, judge: Judge) -> Decision | None:
    """Return the decision to make now; None while one still stands or waits for its outcome."""
    if not judge.catalogue.offers or customer.awaited or standing(customer, at_ms) is not None:
        return None
    policy, customer_id = judge.catalogue.policy, customer.customer_id
    held_out = is_held_out(customer_id, judge)
    decision_id = f"offer:{customer_id}:{at_ms}:{cause}"
    seen = context(customer, at_ms, cause, judge)
    arms = [] if held_out else eligible(customer, at_ms, judge)
    drawn = chances_of(arms, seen, judge) if arms else Chances({NONE: 1.0}, [], [], [])
    chosen = _draw(drawn.chances, fraction(policy.seed, decision_id))
    arm = next((one for one in arms if one.name == chosen), None)
    return Decision(
        decision_id=decision_id,
        customer_id=customer_id,
        at_ms=at_ms,
        expires_ms=at_ms + int(policy.valid_days * DAY_MS),
        cause=cause,
        offer=NONE if arm is None else arm.offer.id,
        channel=None if arm is None else arm.channel,
        arm=chosen,
        campaign="" if arm is None else arm.offer.campaign or "",
        propensity=drawn.chances[chosen],
        propensities=drawn.chances,
        means=drawn.means,
        deviations=drawn.deviations,
        margins=drawn.margins,
        model_version=judge.offers.learnt,
        policy=HOLDOUT if held_out else POLICY,
        holdout=held_out,
        held=[] if held_out else held(customer_id, judge),
        features=pack(seen),
    )


def standing(customer: Customer, at_ms: int) -> Decision | None:
    """Return the decision that still stands at `at_ms`, if any."""
    made = customer.offer
    return made if made is not None and at_ms < made.expires_ms else None


def standing_form(made: Decision) -> Decision:
    """Return the decision as it stays with the customer; its record tells all."""
    return replace(
        made, features=NO_FEATURES, propensities={}, means=[], deviations=[], margins=[], held=[]
    )


def consider(customer: Customer, at_ms: int, judge: Judge) -> list[Considered]:
    """Return every arm as it would be drawn now, or why it would not; none comes last.

    It tells of a new decision, whether or not one stands.
    """
    looked = list(considered(customer, at_ms, judge))
    arms = [arm for arm, refusal in looked if refusal is None]
    found = chances_of(arms, context(customer, at_ms, "", judge), judge)
    converts = [
        conversion(mean, deviation * deviation)
        for mean, deviation in zip(found.means, found.deviations, strict=True)
    ]
    costs = [*[arm.cost for arm in arms], 0.0]
    told = {
        name: Considered(name, None, chance, p, p * margin - cost)
        for (name, chance), p, margin, cost in zip(
            found.chances.items(), converts, found.margins, costs, strict=True
        )
    }
    return [
        *[told.get(arm.name) or Considered(arm.name, refusal) for arm, refusal in looked],
        told[NONE],
    ]


def chances_of(arms: list[Arm], seen: dict[str, float], judge: Judge) -> Chances:
    """Return the chance of each arm, and of none, to be drawn; they sum to 1.

    What is recorded is rounded first, so that the chances follow from the record to the bit.
    """
    policy, model = judge.catalogue.policy, judge.offers
    names = [*[arm.name for arm in arms], NONE]
    logits, variances = model.predict_arms(seen, names)
    means = [_rounded(logit) for logit in logits]
    deviations = [
        max(LEAST, _rounded(policy.boldness * math.sqrt(variance))) for variance in variances
    ]
    margins = [_margin(model, arm.offer.id, arm.offer.value) for arm in arms]
    margins.append(_margin(model, NONE, policy.none_value))
    costs = [*[arm.cost for arm in arms], 0.0]
    doubts = [deviation * deviation for deviation in deviations]
    chances = propensities(means, doubts, margins, costs, policy.floor)
    return Chances(dict(zip(names, chances, strict=True)), means, deviations, margins)


def _margin(model: OfferModel, offer: str, stated: float) -> float:
    return max(LEAST, _rounded(model.margin(offer, stated)))


def _rounded(number: float) -> float:
    """Return a number to four places; `round` looks for the nearest decimal, at 20 times this."""
    return math.floor(number * 1e4 + 0.5) / 1e4


def _draw(chances: dict[str, float], drawn: float) -> str:
    passed = 0.0
    for arm, chance in chances.items():
        passed += chance
        if drawn < passed:
            return arm
    return max(chances, key=lambda arm: chances[arm])  # rounding left nothing to fall on
