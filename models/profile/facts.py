"""What one touchpoint says: a sparse profile, only the fields that its kind touches.

Every kind of event has its case, by name, or mypy fails. Nothing here sees the
profile as it stands: that is what lets facts be joined in any order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, assert_never

from models.events.base import Contact, Identifier
from models.events.commerce import OrderDelivered, OrderPlaced, OrderRefunded, OrderReturned
from models.events.identity import (
    ConsentChanged,
    CustomerAliased,
    CustomerIdentified,
    GroupJoined,
)
from models.events.loyalty import CouponRedeemed, PointsEarned, PointsRedeemed, TierChanged
from models.events.marketing import OfferAccepted, OfferDeclined, OfferShown
from models.events.messages import MessageClicked, MessageOpened, MessageSent
from models.events.sales import (
    LeadCreated,
    OpportunityChanged,
    SubscriptionCancelled,
    SubscriptionRenewed,
    SubscriptionStarted,
)
from models.events.service import FeedbackGiven, TicketClosed, TicketOpened, TicketUpdated
from models.events.union import Touchpoint
from models.profile.shape import Trait
from models.profile.weekly import CARTED, SEARCHED, VIEWED, bought, carted, interest, opinion
from models.rhythm import DAY_MS

Facts = dict[str, Any]  # field of Profile -> what to join to it

Service = TicketOpened | TicketUpdated | TicketClosed | FeedbackGiven
Orders = OrderPlaced | OrderReturned | OrderRefunded | OrderDelivered
Marketing = (
    MessageSent | MessageOpened | MessageClicked | OfferShown | OfferAccepted | OfferDeclined
)
Identity = CustomerIdentified | CustomerAliased | ConsentChanged | GroupJoined
Loyalty = PointsEarned | PointsRedeemed | TierChanged | CouponRedeemed
Sales = (
    LeadCreated
    | OpportunityChanged
    | SubscriptionStarted
    | SubscriptionRenewed
    | SubscriptionCancelled
)

_EXACT: Final = 2**53  # beyond it a number would not survive being a float
_SUBSCRIBED: Final = {
    "subscription_started": "active",
    "subscription_renewed": "active",
    "subscription_cancelled": "cancelled",
}


def facts(event: Touchpoint, at: int) -> Facts:
    """Return what only an event of this kind says, field by field; `at` is when it happened.

    What every event says (its names, its time, that it was one more) is not repeated.
    """
    said = _own(event, at)
    campaign = event.context.campaign
    if campaign is not None and (touch := campaign.source or campaign.name):
        said["attribution_first"] = said["attribution_last"] = _trait(event, at, touch)
    return said


def names(event: Touchpoint) -> Iterable[Identifier]:
    """Return the names by which an event says that the customer goes."""
    if event.type == "customer_aliased":
        return (*event.identifiers, *event.previous)
    return event.identifiers


# By name, not by class: a class pattern costs 0.25 us for each class that it is not.
def _own(event: Touchpoint, at: int) -> Facts:
    """Return what only this kind of event says."""
    match event.type:
        case "page_viewed" | "content_viewed" | "screen_viewed":
            return interest(event.category, at, VIEWED)
        case "search_performed":
            return interest(event.category, at, SEARCHED)
        case "custom":
            return interest(carted(event.name, event.properties), at, CARTED)
        case "app_used" | "call_made":
            return {}
        case "order_placed" | "order_returned" | "order_refunded" | "order_delivered":
            return _orders(event, at)
        case "call_received" | "visit_made":
            waited = {"wait_seconds": round(event.wait_seconds or 0)}
            return waited | opinion(event, at, event.notes) if event.notes else waited
        case "ticket_opened" | "ticket_updated" | "ticket_closed" | "feedback_given":
            return _service(event, at)
        case _:
            return _relations(event, at)


def _relations(event: Marketing | Identity | Loyalty | Sales, at: int) -> Facts:
    match event.type:
        case "message_sent" | "message_opened" | "message_clicked":
            return {f"messages_{event.type.removeprefix('message_')}": 1}
        case "offer_shown" | "offer_accepted" | "offer_declined":
            return {f"offers_{event.type.removeprefix('offer_')}": 1}
        case "customer_identified" | "customer_aliased" | "consent_changed" | "group_joined":
            return _identity(event, at)
        case "points_earned" | "points_redeemed" | "tier_changed" | "coupon_redeemed":
            return _loyalty(event, at)
        case _:
            return _sales(event, at)


def _orders(event: Orders, at: int) -> Facts:
    match event.type:
        case "order_placed":
            total, kept = event.total, event.margin_minor
            interests: dict[str, int] = {}
            for line in event.lines:
                if line.category:
                    interests[line.category] = interests.get(line.category, 0) + 1
            return {
                "orders": 1,
                "items": event.units,
                "revenue": {total.currency: total.minor},
                "margin": {} if kept is None else {total.currency: kept},
                "first_order_ms": at,
                "last_order_ms": at,
                "order_days": [at // DAY_MS],
                "orders_by_currency": {total.currency: 1},
                "products": {line.sku: at for line in event.lines},
                "interests": interests,
                "interest_weeks": bought(interests, at),
            }
        case "order_refunded":
            return {"refunds": 1, "refunded": {event.amount.currency: event.amount.minor}}
        case "order_returned":
            return {"returns": 1, **opinion(event, at, event.notes)}
        case "order_delivered":
            return {}
        case _:
            assert_never(event)


def _service(event: Service, at: int) -> Facts:
    match event.type:
        case "ticket_opened":
            opened = {"tickets_opened": {event.ticket_id: at}}
            return opened | opinion(event, at, event.subject, event.text)
        case "ticket_updated":
            return {"tickets_opened": {event.ticket_id: at}} if event.status == "reopened" else {}
        case "ticket_closed":
            return {"tickets_closed": {event.ticket_id: at}}
        case "feedback_given":
            given = {"feedback": {event.kind: _trait(event, at, event.score)}}
            return given | opinion(event, at, event.text)
        case _:
            assert_never(event)


def _identity(event: Identity, at: int) -> Facts:
    match event.type:
        case "customer_identified":
            traits = event.traits.items()
            return {"traits": {name: _trait(event, at, value) for name, value in traits}}
        case "customer_aliased":
            return {}
        case "consent_changed":
            return {"consents": {event.purpose: _trait(event, at, event.granted)}}
        case "group_joined":
            return {"groups": {event.group_id: at}}
        case _:
            assert_never(event)


def _loyalty(event: Loyalty, at: int) -> Facts:
    match event.type:
        case "points_earned":
            return {"points": {event.program: event.points}}
        case "points_redeemed":
            return {"points": {event.program: -event.points}}
        case "tier_changed":
            return {"tiers": {event.program: _trait(event, at, event.tier)}}
        case "coupon_redeemed":
            return {}
        case _:
            assert_never(event)


def _sales(event: Sales, at: int) -> Facts:
    match event.type:
        case "lead_created":
            return {"opportunities": {event.lead_id: _trait(event, at, "lead")}}
        case "opportunity_changed":
            return {"opportunities": {event.opportunity_id: _trait(event, at, event.stage)}}
        case "subscription_started" | "subscription_renewed" | "subscription_cancelled":
            state = _trait(event, at, _SUBSCRIBED[event.type])
            return {"subscriptions": {event.subscription_id: state}, "subscription": state}
        case _:
            assert_never(event)


def _trait(event: Contact, at: int, value: str | float | bool | None) -> Trait:
    if isinstance(value, int) and not isinstance(value, bool):
        # As JSON gives it back, so that a profile read again is the profile written.
        value = float(value) if abs(value) <= _EXACT else str(value)
    return Trait(value, at, event.event_id, event.source)
