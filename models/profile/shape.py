"""What is known of one customer: the fields of a profile.

Times are ms since 1970, UTC; money is in minor units (cents, won) by ISO 4217
currency. Every field has its law in `models.profile.laws`.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Raw, Struct, field


class Trait(Struct, frozen=True, array_like=True, gc=False):
    """A stated fact about the customer, with when and by what it was said.

    Written as an array, in this order: the names would be half of it.
    """

    value: str | float | bool | None
    at_ms: int
    event_id: str
    source: str = ""


class Moment(Struct, frozen=True, array_like=True, gc=False):
    """One line of the timeline: the newest ones travel with the profile. An array, like a trait."""

    at_ms: int
    event_id: str
    type: str
    channel: str = ""
    summary: str = ""  # what it was about, in no language: "3 x, 59.00 USD", "/pricing"


class When(Struct, frozen=True, array_like=True, gc=False):
    """What a moment begins with: read so, the rest is passed over."""

    at_ms: int


# A moment as it is written: a profile carries twenty and the fold looks at one, so the others
# are neither read nor written anew. `models.profile.timeline` does both.
_TEXT = {"type": "string"}
_LINE = {"type": "array", "prefixItems": [{"type": "integer"}, _TEXT, _TEXT, _TEXT, _TEXT]}
Written = Annotated[Raw, Meta(extra_json_schema=_LINE)]


# Whole numbers by name, by week (of seven days since 1970): what decays is weighed when read.
Weeks = dict[int, dict[str, int]]


class Profile(Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """One customer, as far as the touchpoints seen so far tell."""

    identifiers: dict[str, int] = field(default_factory=dict)  # "type:value" -> first seen
    traits: dict[str, Trait] = field(default_factory=dict)
    consents: dict[str, Trait] = field(default_factory=dict)  # by purpose; value is True or False
    groups: dict[str, int] = field(default_factory=dict)  # company, household -> last stated
    events: int = 0
    events_by_type: dict[str, int] = field(default_factory=dict)
    events_by_channel: dict[str, int] = field(default_factory=dict)
    first_seen_ms: int | None = None  # of any event
    last_seen_ms: int | None = None  # of the customer's own doing: see `is_contact`
    orders: int = 0
    items: int = 0  # units bought
    revenue: dict[str, int] = field(default_factory=dict)  # gross: before refunds
    refunded: dict[str, int] = field(default_factory=dict)
    margin: dict[str, int] = field(default_factory=dict)
    refunds: int = 0
    returns: int = 0  # times that goods came back
    first_order_ms: int | None = None
    last_order_ms: int | None = None
    order_days: list[int] = field(default_factory=list)  # days (UTC, since 1970) with an order
    orders_by_currency: dict[str, int] = field(default_factory=dict)
    products: dict[str, int] = field(default_factory=dict)  # sku -> last bought, newest 50
    interests: dict[str, int] = field(default_factory=dict)  # category -> views and purchases
    interest_weeks: Weeks = field(default_factory=dict)  # by week, category: how much was shown
    tickets_opened: dict[str, int] = field(default_factory=dict)  # ticket id -> (re)opened
    tickets_closed: dict[str, int] = field(default_factory=dict)  # ticket id -> closed
    feedback: dict[str, Trait] = field(default_factory=dict)  # "nps", "csat", "ces", "review"
    sentiment: Trait | None = None  # newest opinion written or told: -1 to 1, see `models.traits`
    sentiment_by: Trait | None = None  # the lexicon that read it; profiles of before have none
    sentiment_weeks: Weeks = field(default_factory=dict)  # by week: "count", and "sum" of 1/1000
    messages_sent: int = 0
    messages_opened: int = 0
    messages_clicked: int = 0
    offers_shown: int = 0
    offers_accepted: int = 0
    offers_declined: int = 0
    wait_seconds: int = 0  # summed over calls and visits, each rounded: a sum of floats has order
    points: dict[str, int] = field(default_factory=dict)  # by programme: earned less redeemed
    tiers: dict[str, Trait] = field(default_factory=dict)  # by programme
    opportunities: dict[str, Trait] = field(default_factory=dict)  # id -> stage
    subscriptions: dict[str, Trait] = field(default_factory=dict)  # id -> "active", "cancelled"
    subscription: Trait | None = None  # the newest of them all
    attribution_first: Trait | None = None  # value: campaign source; the earliest touch
    attribution_last: Trait | None = None
    recent: list[Written] = field(default_factory=list)  # moments: newest 20, newest first

    @property
    def open_tickets(self) -> list[str]:
        """Ids of the tickets that were opened and not closed since."""
        return still_open(self.tickets_opened, self.tickets_closed)


def still_open(opened: dict[str, int], closed: dict[str, int]) -> list[str]:
    """Return the ids of the tickets that were opened (ms) and not closed since."""
    return [id for id, at in opened.items() if closed.get(id, at - 1) < at]
