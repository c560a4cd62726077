"""What a row of `profiles` is made of, and nothing more of the customer's record.

Every field is the one of that name in `models.customer` and `models.profile`. Reading them
alone takes half of what reading them all does: timeline, waiting predictions and the events
seen are passed over.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct, field
from msgspec.json import Decoder

from models.customer import Regroup
from models.profile.shape import Weeks, still_open

Counts = dict[str, int]


class Said(Struct, frozen=True, array_like=True, gc=False):
    """What a trait begins with: the rest is passed over."""

    value: str | float | bool | None
    at_ms: int


class ProfilePart(Struct, frozen=True, kw_only=True):
    """The part of a profile that has columns."""

    identifiers: Counts = field(default_factory=dict)
    traits: dict[str, Said] = field(default_factory=dict)
    consents: dict[str, Said] = field(default_factory=dict)
    events: int = 0
    events_by_type: Counts = field(default_factory=dict)
    events_by_channel: Counts = field(default_factory=dict)
    first_seen_ms: int | None = None
    last_seen_ms: int | None = None
    orders: int = 0
    items: int = 0
    revenue: Counts = field(default_factory=dict)
    refunded: Counts = field(default_factory=dict)
    margin: Counts = field(default_factory=dict)
    refunds: int = 0
    first_order_ms: int | None = None
    last_order_ms: int | None = None
    order_days: list[int] = field(default_factory=list)
    orders_by_currency: Counts = field(default_factory=dict)
    interests: Counts = field(default_factory=dict)
    interest_weeks: Weeks = field(default_factory=dict)
    tickets_opened: Counts = field(default_factory=dict)
    tickets_closed: Counts = field(default_factory=dict)
    feedback: dict[str, Said] = field(default_factory=dict)
    sentiment: Said | None = None
    sentiment_weeks: Weeks = field(default_factory=dict)
    messages_sent: int = 0
    messages_opened: int = 0
    messages_clicked: int = 0
    offers_shown: int = 0
    offers_accepted: int = 0
    offers_declined: int = 0
    wait_seconds: int = 0
    points: Counts = field(default_factory=dict)
    tiers: dict[str, Said] = field(default_factory=dict)
    subscription: Said | None = None
    attribution_first: Said | None = None
    attribution_last: Said | None = None

    @property
    def open_tickets(self) -> list[str]:
        """Ids of the tickets that were opened and not closed since."""
        return still_open(self.tickets_opened, self.tickets_closed)


class ReasonPart(Struct, frozen=True, gc=False):
    """A reason's name."""

    feature: str


class RiskPart(Struct, frozen=True, kw_only=True):
    """The newest churn score."""

    at_ms: int
    model_version: int
    probability: float
    band: str
    horizon: str = ""
    reasons: list[ReasonPart] = field(default_factory=list)


class OfferPart(Struct, frozen=True, kw_only=True, gc=False):
    """The newest decision."""

    offer: str
    expires_ms: int
    channel: str | None = None
    holdout: bool = False


class EpisodePart(Struct, frozen=True, gc=False):
    """The newest episode of one alert rule."""

    status: str


class CustomerPart(Struct, frozen=True, kw_only=True):
    """The part of a customer that has columns. Times are ms since 1970, UTC."""

    customer_id: str
    version: int = 0
    merged_into: str | None = None
    regroup: Regroup | None = None
    observed_until_ms: int | None = None
    received_ms: int = 0
    clock_ms: int = 0
    profile: ProfilePart = ProfilePart()
    risk: RiskPart | None = None
    offer: OfferPart | None = None
    episodes: dict[str, EpisodePart] = field(default_factory=dict)


_decode: Final = Decoder(CustomerPart).decode


def read(value: bytes) -> CustomerPart:
    """Read the part out of a record of `profiles`. Raises msgspec.ValidationError."""
    return _decode(value)
