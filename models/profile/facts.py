"""What one touchpoint says: a sparse profile, only the fields that it touches.

Every kind of event has its case, or mypy fails. Nothing here sees the profile as
it stands: that is what lets facts be joined in any order.
"""

from __future__ import annotations

from typing import Any, assert_never

from models.events.base import Contact
from models.events.commerce import OrderDelivered, OrderPlaced, OrderRefunded, OrderReturned
from models.events.contact import CallMade, CallReceived, VisitMade
from models.events.digital import (
    AppUsed,
    ContentViewed,
    Custom,
    PageViewed,
    ScreenViewed,
    SearchPerformed,
)
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
from models.profile.shape import Moment, Trait
from models.profile.summary import summary
from models.rhythm import CONTACTS

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

_EXACT = 2**53  # beyond it a number would not survive being a float
_SUBSCRIBED = {
    SubscriptionStarted: "active",
    SubscriptionRenewed: "active",
    SubscriptionCancelled: "cancelled",
}


def facts(event: Touchpoint) -> Facts:
    """Return what `event` adds, field by field."""
    at = event.occurred_ms
    said: Facts = {
        "identifiers": {str(identifier): at for identifier in event.identifiers},
        "events": 1,
        "events_by_type": {event.type: 1},
        "events_by_channel": {event.channel.value: 1},
        "first_seen_ms": at,
        "recent": [Moment(at, event.event_id, event.type, event.channel.value, summary(event))],
    }
    if event.type in CONTACTS:
        said["last_seen_ms"] = at
    campaign = event.context.campaign
    if campaign is not None and (touch := campaign.source or campaign.name):
        said["attribution_first"] = said["attribution_last"] = _trait(event, at, touch)
    return said | _own(event, at)


def _own(event: Touchpoint, at: int) -> Facts:
    """Return what only this kind of event says."""
    match event:
        case PageViewed() | ContentViewed() | ScreenViewed() | SearchPerformed():
            return {"interests": {event.category: 1}} if event.category else {}
        case AppUsed() | Custom() | CallMade():
            return {}
        case OrderPlaced() | OrderReturned() | OrderRefunded() | OrderDelivered():
            return _orders(event, at)
        case CallReceived() | VisitMade():
            return {"wait_seconds": round(event.wait_seconds or 0)}
        case TicketOpened() | TicketUpdated() | TicketClosed() | FeedbackGiven():
            return _service(event, at)
        case _:
            return _relations(event, at)


def _relations(event: Marketing | Identity | Loyalty | Sales, at: int) -> Facts:
    match event:
        case MessageSent() | MessageOpened() | MessageClicked():
            return {f"messages_{event.type.removeprefix('message_')}": 1}
        case OfferShown() | OfferAccepted() | OfferDeclined():
            return {f"offers_{event.type.removeprefix('offer_')}": 1}
        case CustomerIdentified() | CustomerAliased() | ConsentChanged() | GroupJoined():
            return _identity(event, at)
        case PointsEarned() | PointsRedeemed() | TierChanged() | CouponRedeemed():
            return _loyalty(event, at)
        case _:
            return _sales(event, at)


def _orders(event: Orders, at: int) -> Facts:
    match event:
        case OrderPlaced():
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
                "products": {line.sku: at for line in event.lines},
                "interests": interests,
            }
        case OrderRefunded(amount=amount):
            return {"refunds": 1, "refunded": {amount.currency: amount.minor}}
        case OrderReturned():
            return {"returns": 1}
        case OrderDelivered():
            return {}
        case _:
            assert_never(event)


def _service(event: Service, at: int) -> Facts:
    match event:
        case TicketOpened() | TicketUpdated(status="reopened"):
            return {"tickets_opened": {event.ticket_id: at}}
        case TicketUpdated():
            return {}
        case TicketClosed():
            return {"tickets_closed": {event.ticket_id: at}}
        case FeedbackGiven():
            return {"feedback": {event.kind: _trait(event, at, event.score)}}
        case _:
            assert_never(event)


def _identity(event: Identity, at: int) -> Facts:
    match event:
        case CustomerIdentified():
            traits = event.traits.items()
            return {"traits": {name: _trait(event, at, value) for name, value in traits}}
        case CustomerAliased():
            return {"identifiers": {str(one): at for one in (*event.identifiers, *event.previous)}}
        case ConsentChanged():
            return {"consents": {event.purpose: _trait(event, at, event.granted)}}
        case GroupJoined():
            return {"groups": {event.group_id: at}}
        case _:
            assert_never(event)


def _loyalty(event: Loyalty, at: int) -> Facts:
    match event:
        case PointsEarned():
            return {"points": {event.program: event.points}}
        case PointsRedeemed():
            return {"points": {event.program: -event.points}}
        case TierChanged():
            return {"tiers": {event.program: _trait(event, at, event.tier)}}
        case CouponRedeemed():
            return {}
        case _:
            assert_never(event)


def _sales(event: Sales, at: int) -> Facts:
    match event:
        case LeadCreated():
            return {"opportunities": {event.lead_id: _trait(event, at, "lead")}}
        case OpportunityChanged():
            return {"opportunities": {event.opportunity_id: _trait(event, at, event.stage)}}
        case SubscriptionStarted() | SubscriptionRenewed() | SubscriptionCancelled():
            state = _trait(event, at, _SUBSCRIBED[type(event)])
            return {"subscriptions": {event.subscription_id: state}, "subscription": state}
        case _:
            assert_never(event)


def _trait(event: Contact, at: int, value: str | float | bool | None) -> Trait:
    if isinstance(value, int) and not isinstance(value, bool):
        # As JSON gives it back, so that a profile read again is the profile written.
        value = float(value) if abs(value) <= _EXACT else str(value)
    return Trait(value, at, event.event_id, event.source)
