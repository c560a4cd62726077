"""The two closed unions of events, told apart by `type`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from models.events.commerce import (
    OrderDelivered,
    OrderPlaced,
    OrderRefunded,
    OrderReturned,
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
from models.events.system import (
    CustomerAbsorbed,
    CustomerMerged,
    CustomerRefolded,
    CustomerRegrouped,
    EpisodesReturned,
    TimerFired,
)

Touchpoint = Annotated[
    CallReceived
    | CallMade
    | VisitMade
    | OrderPlaced
    | OrderReturned
    | OrderRefunded
    | OrderDelivered
    | AppUsed
    | PageViewed
    | ScreenViewed
    | SearchPerformed
    | ContentViewed
    | MessageSent
    | MessageOpened
    | MessageClicked
    | TicketOpened
    | TicketUpdated
    | TicketClosed
    | FeedbackGiven
    | OfferShown
    | OfferAccepted
    | OfferDeclined
    | CustomerIdentified
    | CustomerAliased
    | ConsentChanged
    | GroupJoined
    | PointsEarned
    | PointsRedeemed
    | TierChanged
    | CouponRedeemed
    | LeadCreated
    | OpportunityChanged
    | SubscriptionStarted
    | SubscriptionRenewed
    | SubscriptionCancelled
    | Custom,
    Field(discriminator="type"),
]
Event = Annotated[
    Touchpoint
    | CustomerMerged
    | CustomerAbsorbed
    | CustomerRegrouped
    | CustomerRefolded
    | EpisodesReturned
    | TimerFired,
    Field(discriminator="type"),
]
