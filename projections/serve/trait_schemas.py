"""What is computed of a customer as of a moment, as types. Written by `trait_views`."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Purchase(_Answer):
    """How likely an order is."""

    within_days: int
    probability: float = Field(ge=0, le=1)


class NextPurchase(_Answer):
    """When the next order is expected, if the customer still buys here."""

    expected_at: datetime = Field(description="the last day with an order, and the gap")
    gap_days: float = Field(description="the customer's own rhythm, shrunk to the population's")
    overdue: bool


class LifetimeValue(_Answer):
    """What the customer is expected to pay, net of refunds."""

    horizon_days: int
    discount: float = Field(description="a year")
    orders: float = Field(description="expected within the horizon")
    amounts: dict[str, str] = Field(examples=[{"USD": "59.00"}])


class RfmGiven(_Answer):
    """Recency, frequency, money; scores are fifths of the population, 5 is best, null: unknown."""

    recency_days: int
    frequency: int = Field(description="orders")
    money: dict[str, str] = Field(description="net of refunds, by currency")
    recency_score: int | None
    frequency_score: int | None
    money_scores: dict[str, int]
    segment: str | None = Field(
        description="champion, growing, new, loyal, wavering, at_risk or dormant"
    )


class ValueGiven(_Answer):
    """What a buyer is worth and when he buys next; silence changes it without any event."""

    as_of: datetime = Field(description="the full hour, or a backfill's end")
    source: str = Field(description="the models")
    fitted_at: datetime | None = Field(description="of their parameters; null: those shipped")
    fitted_to: int = Field(description="customers")
    alive: float = Field(ge=0, le=1, description="P(still buys here)")
    purchase: Purchase
    next_purchase: NextPurchase
    clv: LifetimeValue
    rfm: RfmGiven


class InterestGiven(_Answer):
    """An interest as of now: a view counts 1, a search 2, into the cart 3, a purchase 5."""

    category: str
    weight: float
    share: float = Field(description="of all interests")
    half_life_days: float


class SentimentGiven(_Answer):
    """How the customer speaks of us, from -1 to 1: in feedback, tickets, calls, visits, returns."""

    newest: float
    newest_at: datetime
    event_id: str
    told_by: str = Field(description="name of the write key or file it came by")
    mean: float = Field(description="of all texts, in which old ones fade")
    texts: int = Field(description="of the newest weeks")
    half_life_days: float
    source: str | None = Field(
        description="the lexicon that read the newest; null: it was read before that was kept"
    )


class Companion(_Answer):
    """A product that goes with one the customer has."""

    product_id: str
    bought_with: str = Field(description="why: what it is bought with")
    confidence: float = Field(description="P(it, given what the customer has)")
    lift: float = Field(description="that, against all buyers")
    baskets: float = Field(description="that had both, old ones counting less")


class Traits(_Answer):
    """What is computed as of a moment."""

    preferred_channel: str | None
    value: ValueGiven | None = Field(description="null: nothing was bought")
    interests_now: list[InterestGiven]
    sentiment: SentimentGiven | None = Field(description="null: nothing was said that tells")
    goes_with: list[Companion]
