"""The events: the facts that customers leave behind, one class for each kind.

`Touchpoint` is what may come in from outside; `Event` is what the log holds.
Both are closed unions, so `match` with `assert_never` covers them, or mypy fails.
"""

from __future__ import annotations

from models.events.base import Campaign, Channel, Contact, Context, Identifier, IdentifierType
from models.events.codec import decode_event, encode_event, lean, made
from models.events.commerce import (
    Line,
    OrderDelivered,
    OrderPlaced,
    OrderRefunded,
    OrderReturned,
    ReturnedLine,
)
from models.events.contact import CallMade, CallReceived, VisitMade
from models.events.digital import (
    AppUsed,
    ContentViewed,
    Custom,
    PageViewed,
    ScreenViewed,
    SearchPerformed,
)
from models.events.envelope import Wire
from models.events.identity import (
    ConsentChanged,
    CustomerAliased,
    CustomerIdentified,
    GroupJoined,
)
from models.events.loyalty import CouponRedeemed, PointsEarned, PointsRedeemed, TierChanged
from models.events.marketing import OfferAccepted, OfferDeclined, OfferShown
from models.events.messages import MessageClicked, MessageOpened, MessageSent
from models.events.parsing import parse
from models.events.sales import (
    LeadCreated,
    OpportunityChanged,
    SubscriptionCancelled,
    SubscriptionRenewed,
    SubscriptionStarted,
)
from models.events.service import FeedbackGiven, TicketClosed, TicketOpened, TicketUpdated
from models.events.system import (
    CustomerAbsorbed,
    CustomerMerged,
    CustomerRefolded,
    CustomerRegrouped,
    EpisodesReturned,
    TimerFired,
)
from models.events.union import Event, Touchpoint

__all__ = [
    "AppUsed",
    "CallMade",
    "CallReceived",
    "Campaign",
    "Channel",
    "ConsentChanged",
    "Contact",
    "ContentViewed",
    "Context",
    "CouponRedeemed",
    "Custom",
    "CustomerAbsorbed",
    "CustomerAliased",
    "CustomerIdentified",
    "CustomerMerged",
    "CustomerRefolded",
    "CustomerRegrouped",
    "EpisodesReturned",
    "Event",
    "FeedbackGiven",
    "GroupJoined",
    "Identifier",
    "IdentifierType",
    "LeadCreated",
    "Line",
    "MessageClicked",
    "MessageOpened",
    "MessageSent",
    "OfferAccepted",
    "OfferDeclined",
    "OfferShown",
    "OpportunityChanged",
    "OrderDelivered",
    "OrderPlaced",
    "OrderRefunded",
    "OrderReturned",
    "PageViewed",
    "PointsEarned",
    "PointsRedeemed",
    "ReturnedLine",
    "ScreenViewed",
    "SearchPerformed",
    "SubscriptionCancelled",
    "SubscriptionRenewed",
    "SubscriptionStarted",
    "TicketClosed",
    "TicketOpened",
    "TicketUpdated",
    "TierChanged",
    "TimerFired",
    "Touchpoint",
    "VisitMade",
    "Wire",
    "decode_event",
    "encode_event",
    "lean",
    "made",
    "parse",
]
