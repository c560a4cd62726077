"""The parts that answers about customers are made of. Written by `views`."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """An answer's part; what is not named here is not sent."""

    model_config = ConfigDict(extra="forbid")


class KnownIdentifier(Answer):
    """One name that the customer goes by."""

    type: str
    value: str
    first_seen_at: datetime


class Stated(Answer):
    """A stated fact: the newest by event time."""

    value: str | bool | float | None
    updated_at: datetime
    source: str
    event_id: str


class Computed(Answer):
    """Counts and sums over all touchpoints. Money: decimal strings by ISO 4217 currency."""

    events: int
    events_by_type: dict[str, int]
    events_by_channel: dict[str, int]
    first_seen_at: datetime | None
    last_seen_at: datetime | None
    orders: int
    items: int = Field(description="units bought")
    revenue: dict[str, str] = Field(description="before refunds", examples=[{"USD": "59.00"}])
    refunded: dict[str, str]
    margin: dict[str, str]
    refunds: int
    returns: int
    first_order_at: datetime | None
    last_order_at: datetime | None
    messages_sent: int
    messages_opened: int
    messages_clicked: int
    offers_shown: int
    offers_accepted: int
    offers_declined: int
    wait_seconds: int = Field(description="waited in calls and visits, in all")


class InWords(Answer):
    """A sentence for a person."""

    en: str
    ko: str


class ReasonGiven(Answer):
    """What features that move together did to the score."""

    feature: str
    contribution: float = Field(description="in logits; positive raises the risk")
    effect: Literal["raised", "lowered"]
    value: float
    usual: float | None = Field(description="the customer's own habit, or the population's mean")
    about: str = Field(description="the one feature that `value` and `usual` are of")
    text: InWords


class ScoreGiven(Answer):
    """A prediction with its reasons."""

    score_id: str
    probability: float = Field(ge=0, le=1)
    band: Literal["low", "medium", "high"]
    horizon_days: int
    horizon: str = Field(description='what churn means, and its version: "silence-30/1"')
    scored_at: datetime
    model_version: int = Field(description="examples that the model had learnt")
    cause: str = Field(description="id of the event that led to it")
    reasons: list[ReasonGiven] = Field(description="the strongest")
    rest: list[ReasonGiven] = Field(
        description="what they leave out, and the base that all share: together the logit"
    )


class ContractGiven(Answer):
    """A contract as its events tell."""

    subscription_id: str
    started_at: datetime
    renewals: int
    renews_at: datetime | None = Field(description="the stated end that a renewal would move")
    over_at: datetime | None = Field(
        description="when it is over if nothing comes: cancelled, or the end and its grace; "
        "null: it runs until it is cancelled"
    )
    cancelled: bool


class OfferNow(Answer):
    """The one decision that stands for the customer; "none" means: make no offer."""

    decision_id: str = Field(description="send it back with offer_shown and offer_accepted")
    offer: str
    channel: str | None
    decided_at: datetime
    expires_at: datetime
    propensity: float
    holdout: bool
    policy: str
    model_version: int


class EpisodeGiven(Answer):
    """The newest episode of an alert rule."""

    rule: str
    number: int
    status: Literal["open", "closed"]
    opened_at: datetime
    closed_at: datetime | None
    outcome: str | None


class Bought(Answer):
    """A product the customer has."""

    product_id: str
    last_bought_at: datetime


class OpenTicket(Answer):
    """A ticket that was not closed since it was opened."""

    ticket_id: str
    opened_at: datetime


class Attribution(Answer):
    """The campaign sources of the first and the last touch."""

    first: Stated | None
    last: Stated | None


class TimelineItem(Answer):
    """One touchpoint."""

    occurred_at: datetime
    event_id: str
    type: str
    channel: str | None
    summary: str
