"""Eligibility: which offers may be made to a customer, in which channels; and if not, why not.

What is not asked for is no condition. Each refusal has one name, the first that holds, so
that whoever asks is told what to change.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from models.catalogue import Arm, Offer
from models.customer import Customer
from models.holdout import held, is_held_out
from models.judge import Judge
from models.profile import Profile, Trait
from models.rhythm import DAY_MS

# Identifiers by which a channel reaches somebody; a trait of that name will do as well.
_REACHED_BY = {"email": "email", "sms": "phone", "phone": "phone", "push": "device_id"}


class Refusal(StrEnum):
    """Why an arm may not be drawn."""

    HOLDOUT = "holdout"  # a control customer, never made an offer
    CONTACT_CAP = "contact_cap"  # made as many offers lately as anybody may be
    EXPIRED = "expired"
    SOLD_OUT = "sold_out"
    CAMPAIGN_HOLDOUT = "campaign_holdout"  # a control customer of the offer's campaign
    CAP = "cap"  # made to this customer as often as it may be
    ORDERS = "orders"  # too few so far
    RISK = "risk"  # too small
    CONSENT = "consent"  # not granted, or withdrawn
    TIER = "tier"
    SUBSCRIPTION = "subscription"
    OWNED = "owned"
    COMPLAINT = "complaint"  # a ticket is open
    CHANNEL_CONSENT = "channel_consent"  # the channel was refused
    UNREACHABLE = "unreachable"  # no address, or no app


def considered(
    customer: Customer, at_ms: int, judge: Judge
) -> Iterator[tuple[Arm, Refusal | None]]:
    """Yield every arm of the catalogue, in its order, with why it may not be drawn, if so."""
    everywhere = _of_all(customer, at_ms, judge)
    controlled = held(customer.customer_id, judge)
    refused: dict[str, Refusal | None] = {}
    reach: dict[str, Refusal | None] = {}
    for arm in judge.catalogue.arms:
        offer, channel = arm.offer, arm.channel
        if offer.id not in refused:
            refused[offer.id] = everywhere or (
                _of_supply(offer, at_ms, judge, controlled)
                or _of_history(customer, offer)
                or _of_person(customer.profile, offer)
            )
        if channel not in reach:
            reach[channel] = _of_channel(customer.profile, channel)
        yield arm, refused[offer.id] or reach[channel]


def eligible(customer: Customer, at_ms: int, judge: Judge) -> list[Arm]:
    """Return the arms that may be drawn for this customer now, in the catalogue's order."""
    return [arm for arm, refusal in considered(customer, at_ms, judge) if refusal is None]


def withdrawn(customer: Customer, judge: Judge) -> bool:
    """Tell whether the offer that stands may be shown no more.

    Consent, ownership and complaints count at once. Caps, risk and stock are for drawing: a
    promise is kept.
    """
    made = customer.offer
    if made is None or made.channel is None:
        return False
    offer, profile = judge.catalogue.offer(made.offer), customer.profile
    if offer is None:
        return True
    return (
        _of_person(profile, offer) is not None
        or _of_channel(profile, made.channel) is Refusal.CHANNEL_CONSENT
    )


def _of_all(customer: Customer, at_ms: int, judge: Judge) -> Refusal | None:
    if is_held_out(customer.customer_id, judge):
        return Refusal.HOLDOUT
    policy = judge.catalogue.policy
    if policy.contact_cap is None:
        return None
    since = at_ms - policy.contact_days * DAY_MS
    lately = sum(since < at for at in customer.contacted)
    return Refusal.CONTACT_CAP if lately >= policy.contact_cap else None


def _of_supply(offer: Offer, at_ms: int, judge: Judge, controlled: list[str]) -> Refusal | None:
    if offer.expires is not None and at_ms >= offer.expires.timestamp() * 1000:
        return Refusal.EXPIRED
    if offer.stock is not None and judge.offers.taken.get(offer.id, 0) >= offer.stock:
        return Refusal.SOLD_OUT
    if offer.campaign is not None and offer.campaign in controlled:
        return Refusal.CAMPAIGN_HOLDOUT
    return None


def _of_history(customer: Customer, offer: Offer) -> Refusal | None:
    rule, profile = offer.eligible, customer.profile
    risk = customer.risk.probability if customer.risk is not None else 0.0
    if customer.offers_made.get(offer.id, 0) >= offer.cap:
        return Refusal.CAP
    if profile.orders < rule.min_orders:
        return Refusal.ORDERS
    if risk < rule.min_risk:
        return Refusal.RISK
    if rule.tiers and not _tiers(profile) & set(rule.tiers):
        return Refusal.TIER
    if rule.subscribed not in (None, _value(profile.subscription) == "active"):
        return Refusal.SUBSCRIPTION
    return None


def _of_person(profile: Profile, offer: Offer) -> Refusal | None:
    """Return why the offer is not for somebody, whatever was made or promised."""
    rule = offer.eligible
    if rule.consent is not None and _value(profile.consents.get(rule.consent)) is not True:
        return Refusal.CONSENT
    if not profile.products.keys().isdisjoint(rule.not_owned):
        return Refusal.OWNED
    if not rule.during_complaint and profile.tickets_opened and profile.open_tickets:
        return Refusal.COMPLAINT
    return None


def _of_channel(profile: Profile, channel: str) -> Refusal | None:
    """Return why a channel may not, or cannot, be used.

    A consent that is named as the channel, "email", counts if it was given or refused.
    """
    said = profile.consents.get(channel)
    if said is not None and said.value is not True:
        return Refusal.CHANNEL_CONSENT
    if channel == "app":
        known = "app" in profile.events_by_channel or _has(profile, "device_id")
    else:
        known = channel not in _REACHED_BY or _has(profile, _REACHED_BY[channel])
    return None if known else Refusal.UNREACHABLE


def _has(profile: Profile, name: str) -> bool:
    if profile.traits.get(name) is not None:
        return True
    begins = f"{name}:"
    return any(identifier.startswith(begins) for identifier in profile.identifiers)


def _tiers(profile: Profile) -> set[str | float | bool | None]:
    return {_value(profile.traits.get("tier")), *(said.value for said in profile.tiers.values())}


def _value(said: Trait | None) -> str | float | bool | None:
    return None if said is None else said.value
