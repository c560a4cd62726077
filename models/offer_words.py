"""What touchpoints say about offers: answers to them, and purchases that may follow from them."""

from __future__ import annotations

from typing import Final, NamedTuple

from models.events.union import Event

PURCHASES: Final = frozenset({"order_placed", "subscription_started"})
ANSWERS: Final = frozenset({"offer_shown", "offer_accepted", "offer_declined"})
FOLLOWS: Final = PURCHASES | ANSWERS


class Said(NamedTuple):
    """What a touchpoint says about offers: which, and what a purchase left."""

    offer: str = ""
    decision_id: str = ""
    coupon: str = ""
    margin: int | None = None  # minor units; None: unknown
    currency: str = ""


NOTHING_SAID: Final = Said()


def said_of(event: Event) -> Said:
    """Return what a touchpoint of FOLLOWS says about offers."""
    match event.type:
        case "offer_shown" | "offer_accepted" | "offer_declined":
            return Said(offer=event.offer, decision_id=event.decision_id or "")
        case "order_placed":
            named = event.properties.get("decision_id")
            return Said(
                decision_id=named if isinstance(named, str) else "",
                coupon=event.coupon or "",
                margin=event.margin_minor,
                currency=event.total.currency,
            )
        case _:
            return NOTHING_SAID
