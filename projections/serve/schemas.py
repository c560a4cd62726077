"""The API's answers as types, for OpenAPI and for clients. Written by `views`."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from projections.serve.trait_schemas import Traits


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


class Named(Answer):
    """Which customer, and how new."""

    customer_id: str
    updated_at: datetime | None = Field(description="when the newest event reached the log")
    merged_from: list[str] = Field(description="customer ids that were merged into this one")
    observed_until: datetime | None = Field(description="end of a backfill, if one came")


class Head(Named):
    """Which customer, and which version of it."""

    version: int = Field(description="grows with each change; part of the ETag")
    complete: bool = Field(
        description="false after an unmerge, until all that is its own was read from the log again"
    )


class Known(Traits):
    """Everything that is known of a customer."""

    identifiers: list[KnownIdentifier]
    traits: dict[str, Stated]
    consents: dict[str, Stated]
    computed: Computed
    scores: dict[str, ScoreGiven]
    offer: OfferNow | None
    episodes: list[EpisodeGiven]
    products: list[Bought]
    interests: dict[str, int]
    open_tickets: list[OpenTicket]
    groups: list[str] = Field(description="company, household, or the like")
    points: dict[str, int] = Field(description="earned less redeemed, by programme")
    tiers: dict[str, Stated]
    opportunities: dict[str, Stated] = Field(description="stage, by opportunity id")
    subscriptions: dict[str, Stated]
    contracts: list[ContractGiven]
    feedback: dict[str, Stated]
    subscription: Stated | None
    attribution: Attribution
    timeline: list[TimelineItem]


class CustomerWhole(Known, Head):
    """Everything about one customer."""


class AsOfThen(Answer):
    """As of when an answer holds, and what it was made of."""

    at: datetime | None = Field(description="what had happened by then; null: all that is known")
    known_at: datetime | None = Field(description="what was known by then; null: now")
    identity_at: datetime = Field(description="who belongs together is told as of then")
    events: int = Field(description="touchpoints that the profile was folded from")
    members: list[str] = Field(description="customer ids that were one, this one among them")
    complete: bool = Field(description="all is in it that the live profile is made of today")
    complete_until: dict[str, int] = Field(
        description="by partition of the log: all up to this offset is in it",
        examples=[{"events/3": 812}],
    )


class CustomerAsOf(Known, Named):
    """Everything about one customer as of a time; score, offer and episodes as recorded by then."""

    as_of: AsOfThen


class CustomerTimeline(Head):
    """The newest touchpoints, newest first."""

    timeline: list[TimelineItem]


class CustomerScores(Head):
    """The newest scores, by model."""

    scores: dict[str, ScoreGiven]


class CustomerTraits(Head):
    """Stated facts, with source and time."""

    traits: dict[str, Stated]
    consents: dict[str, Stated]


class CustomerOffer(Head):
    """The offer to make now."""

    offer: OfferNow | None


class Member(Answer):
    """A customer id that is this customer, and the identifier that it follows from."""

    customer_id: str
    identifier: KnownIdentifier | None = Field(description="null: no event of it is known")


class NamedIdentifier(KnownIdentifier):
    """An identifier of this customer."""

    customer_id: str | None = Field(description="the member that it names; null: it came along")


class CustomerIdentity(Head):
    """Who this one customer is. The first member gave it its id."""

    generation: int | None = Field(
        description="offset on identity-links of the unmerge that it goes back to; null: none"
    )
    members: list[Member]
    identifiers: list[NamedIdentifier]


class Asked(Answer):
    """A customer that a command named, and who that is now."""

    asked: str
    customer_id: str | None = Field(description="who it is today; null: nobody yet")


class Outcome(Answer):
    """What became of a merge or an unmerge."""

    receipt: str
    status: Literal["waiting", "refused", "refolding", "done"] = Field(
        description="refolding: decided, and being read from the log again"
    )
    detail: str | None = Field(description="why it was refused")
    customers: list[Asked]


class BatchRequest(BaseModel):
    """Which customers to get."""

    model_config = ConfigDict(extra="forbid")

    keys: list[str] = Field(min_length=1, max_length=500, examples=[["email:ana@example.com"]])


class BatchAnswer(Answer):
    """The customers found, by the key asked for."""

    profiles: dict[str, CustomerWhole]
    missing: list[str]


class Found(Answer):
    """A customer that a search found."""

    customer_id: str
    name: str
    identifiers: list[str]
    probability: float | None
    band: Literal["low", "medium", "high"] | None
    last_seen_at: datetime | None
    open_alerts: int


class SearchAnswer(Answer):
    """What a search found, at most `limit`."""

    items: list[Found]


class Freshness(Answer):
    """From an event's acceptance to its customer's new record being readable here, in ms."""

    p50_ms: float
    p99_ms: float


class StepBehind(Answer):
    """A step's backlog in records; null: unknown."""

    step: str
    lag: int | None


class Stats(Answer):
    """The live board's figures."""

    ready: bool
    customers: int
    merged: int
    incomplete: int = Field(description="being put together anew after an unmerge")
    events: int
    scored: int
    events_per_second: float = Field(description="over the last ten seconds")
    events_each_second: list[int] = Field(description="the last minute, oldest first")
    freshness: Freshness | None = Field(description="of the last minute; null: nothing came")
    risk_bands: dict[str, int]
    risk_histogram: list[int] = Field(description="customers by churn probability, 5 % each")
    open_alerts: int
    dead_letters: int
    lag: list[StepBehind]
    unreadable_records: int
    kafka_answered_at: datetime | None
