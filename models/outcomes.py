"""Outcomes: what a decision is followed by within its window, and what of that it earned.

Every arm is judged alike, none and the control customers' too: over one window, by one rule
for which orders count (`Policy.attribution`). What happened within the window but is heard of
after its end counts no more: the outcome is learnt by then. Of several decisions that wait, as
after a merge, a touchpoint follows one alone: that it claims, else the newest that it may follow.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from models.catalogue import NONE, Catalogue
from models.customer import Awaited, Customer
from models.money import exponent
from models.offer_words import ANSWERS, PURCHASES, Said
from models.records import Decision, Example, Outcome, Reserved
from models.rhythm import DAY_MS

HOLDOUT: Final = "holdout"  # the policy of control customers


def await_outcome(customer: Customer, made: Decision, catalogue: Catalogue) -> Customer:
    """Return the customer with the decision waiting for its outcome."""
    policy, offer = catalogue.policy, catalogue.offer(made.offer)
    arm = next((arm for arm in catalogue.arms if arm.name == made.arm), None)
    waiting = Awaited(
        decision_id=made.decision_id,
        arm=made.arm,
        at_ms=made.at_ms,
        due_ms=made.at_ms + int(policy.window_days * DAY_MS),
        propensity=made.propensity,
        model_version=made.model_version,
        policy=made.policy,
        features=made.features,
        rule=policy.attribution,
        coupon=(offer.coupon or "") if offer is not None else "",
        currency=policy.currency,
        value=policy.none_value if offer is None else offer.value,
        cost=0.0 if arm is None else arm.cost,
        limited=offer is not None and offer.stock is not None,
    )
    return replace(customer, awaited=[*customer.awaited, waiting])


def followed(customer: Customer, event_type: str, at_ms: int, said: Said) -> Customer:
    """Return the customer after a touchpoint of FOLLOWS at `at_ms`."""
    if not customer.awaited and customer.offer is None:
        return customer
    may = [one for one in customer.awaited if _may_follow(one, event_type, at_ms, said)]
    chosen = max(may, key=lambda one: (_claims(one, said), *_age(one)), default=None)
    awaited = [
        _followed(one, event_type, said) if one is chosen else one for one in customer.awaited
    ]
    customer = replace(customer, awaited=awaited)
    made = customer.offer
    if made is None or event_type == "offer_shown":
        return customer
    if event_type in PURCHASES:
        answered = any(one.claimed and one.decision_id == made.decision_id for one in awaited)
    else:
        answered = made.offer == said.offer
    # No channel shows it again, until the next decision.
    return replace(customer, offer=None) if answered else customer


def beside(
    awaited: list[Awaited], event_type: str, at_ms: int, theirs: list[Awaited]
) -> list[Awaited]:
    """Return what waits after a purchase of another who turned out to be the same customer.

    Of that only kind and time are known. One of `theirs`, what waits for the other, may have
    counted it already. Told again it changes nothing.
    """
    if event_type not in PURCHASES or any(_counts(one, at_ms, claims=False) for one in theirs):
        return awaited
    may = [one for one in awaited if _counts(one, at_ms, claims=False)]
    newest = max(may, key=_age, default=None)
    return [replace(one, unknown=max(1, one.unknown)) if one is newest else one for one in awaited]


def released(customer: Customer, waited: Awaited, catalogue: Catalogue) -> Example:
    """Return the example of a decision whose window is over."""
    converted = waited.claimed or waited.known > 0 or waited.unknown > 0
    return Example(
        example_id=f"offers:{waited.decision_id}",
        customer_id=customer.customer_id,
        model="offers",
        model_version=waited.model_version,
        at_ms=waited.at_ms,
        label_ms=waited.due_ms,
        features=waited.features,
        label=float(converted),
        probability=waited.propensity,
        arm=waited.arm,
        outcome=Outcome(
            decision_id=waited.decision_id,
            margin=_margin(waited, catalogue.most) if converted else 0.0,
            cost=waited.cost,
            shown=waited.shown,
            claimed=waited.claimed,
            holdout=waited.policy == HOLDOUT,
            policy=waited.policy,
            half_life=catalogue.policy.half_life,
        ),
    )


def reserved(customer_id: str, decision_id: str, offer: str, at_ms: int, units: int) -> Reserved:
    """Return the word that a unit of a limited offer was promised (1) or is free again (-1)."""
    return Reserved(
        reserved_id=f"{'reserved' if units > 0 else 'freed'}:{decision_id}",
        customer_id=customer_id,
        model="offers",
        offer=offer,
        units=units,
        at_ms=at_ms,
    )


def freed(customer: Customer, waited: Awaited) -> list[Reserved]:
    """Return what gives the unit back that nobody claimed."""
    if not waited.limited or waited.claimed:
        return []
    offer = waited.arm.partition("/")[0]
    return [reserved(customer.customer_id, waited.decision_id, offer, waited.due_ms, -1)]


def _may_follow(waited: Awaited, event_type: str, at_ms: int, said: Said) -> bool:
    """Tell whether the touchpoint answers the decision, or counts as a purchase after it."""
    if not waited.at_ms < at_ms < waited.due_ms:
        return False
    if event_type in ANSWERS:
        return _is_meant(waited, said)
    return _counts(waited, at_ms, _claims(waited, said))


def _followed(waited: Awaited, event_type: str, said: Said) -> Awaited:
    """Return the decision after what follows it."""
    if event_type == "offer_shown":
        return replace(waited, shown=True)
    if event_type in ANSWERS:
        return replace(waited, shown=True, claimed=waited.claimed or event_type == "offer_accepted")
    claimed = waited.claimed or _claims(waited, said)
    if said.margin is None or said.currency != waited.currency:
        return replace(waited, claimed=claimed, unknown=waited.unknown + 1)
    earned = waited.earned + said.margin
    return replace(waited, claimed=claimed, known=waited.known + 1, earned=earned)


def _claims(waited: Awaited, said: Said) -> bool:
    """Tell whether what was said names the decision, or its coupon."""
    named = said.decision_id == waited.decision_id
    return named or (waited.coupon != "" and said.coupon == waited.coupon)


def _age(waited: Awaited) -> tuple[int, str]:
    return waited.at_ms, waited.decision_id


def _is_meant(waited: Awaited, said: Said) -> bool:
    """Tell whether an answer is to this decision: it names it, or names its offer and no other."""
    if said.decision_id:
        return said.decision_id == waited.decision_id
    return waited.arm != NONE and said.offer == waited.arm.partition("/")[0]


def _counts(waited: Awaited, at_ms: int, claims: bool) -> bool:
    """Tell whether an order at `at_ms` counts as following from the decision."""
    if not waited.at_ms < at_ms < waited.due_ms:
        return False
    match waited.rule:
        case "any":
            return True
        case "shown":
            return waited.shown or claims
        case "claimed":
            return waited.claimed or claims


def _margin(waited: Awaited, most: float) -> float:
    """Return what a converted decision earned, clipped.

    An order of unknown margin, or in another currency, counts as the arm's stated value, and
    so does an acceptance that no order followed.
    """
    unknown = waited.unknown + (waited.known + waited.unknown == 0)
    earned = waited.earned / 10.0 ** exponent(waited.currency) + unknown * waited.value
    return max(-most, min(most, earned))
