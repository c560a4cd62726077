"""The customer profile, and how each touchpoint changes it.

A profile is a fold that commutes: counts, sums, first and last, sets, and the
newest value by (event time, event id). Any order of the same events, and any
split of them into two profiles that are merged, gives the same profile.
"""

from __future__ import annotations

from msgspec import Struct, field


class Trait(Struct, frozen=True, omit_defaults=True):
    """A stated fact about the customer, with when and by what it was said."""

    value: str | float | bool | None
    at_ms: int
    event_id: str
    source: str = ""


class Moment(Struct, frozen=True, omit_defaults=True):
    """One line of the timeline: the newest ones travel with the profile."""

    at_ms: int
    event_id: str
    type: str
    channel: str = ""
    summary: str = ""  # "3 items, 59.00 USD"


class Profile(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One customer, as far as the touchpoints seen so far tell.

    Money is in minor units (cents, won) by ISO 4217 currency. Times are ms, UTC.
    """

    identifiers: dict[str, int] = field(default_factory=dict)  # "type:value" -> first seen
    traits: dict[str, Trait] = field(default_factory=dict)
    consents: dict[str, Trait] = field(default_factory=dict)  # by purpose; value is True or False
    events: int = 0
    events_by_type: dict[str, int] = field(default_factory=dict)
    events_by_channel: dict[str, int] = field(default_factory=dict)
    first_seen_ms: int | None = None
    last_seen_ms: int | None = None
    orders: int = 0
    items: int = 0  # units bought
    revenue: dict[str, int] = field(default_factory=dict)  # gross: before refunds
    refunded: dict[str, int] = field(default_factory=dict)
    margin: dict[str, int] = field(default_factory=dict)
    refunds: int = 0
    first_order_ms: int | None = None
    last_order_ms: int | None = None
    products: dict[str, int] = field(default_factory=dict)  # product id -> last bought, newest 50
    interests: dict[str, int] = field(default_factory=dict)  # category -> views and purchases
    tickets_opened: dict[str, int] = field(default_factory=dict)  # ticket id -> opened
    tickets_closed: dict[str, int] = field(default_factory=dict)  # ticket id -> closed
    feedback: dict[str, Trait] = field(default_factory=dict)  # "nps", "csat", "ces", "review"
    messages_sent: int = 0
    messages_opened: int = 0
    messages_clicked: int = 0
    offers_shown: int = 0
    offers_accepted: int = 0
    offers_declined: int = 0
    wait_seconds: float = 0.0  # summed over calls and visits
    subscription: Trait | None = None  # value: "active", "cancelled", "expired"
    attribution_first: Trait | None = None  # value: campaign source; the earliest touch
    attribution_last: Trait | None = None
    recent: list[Moment] = field(default_factory=list)  # newest 20, newest first
