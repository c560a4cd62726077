"""The API's answers about customers as types, for OpenAPI and for clients. Written by `views`."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from projections.serve.part_schemas import (
    Answer,
    Attribution,
    Bought,
    Computed,
    ContractGiven,
    EpisodeGiven,
    KnownIdentifier,
    OfferNow,
    OpenTicket,
    ScoreGiven,
    Stated,
    TimelineItem,
)
from projections.serve.trait_schemas import Traits


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


class BatchRequest(BaseModel):
    """Which customers to get."""

    model_config = ConfigDict(extra="forbid")

    keys: list[str] = Field(min_length=1, max_length=500, examples=[["email:ana@example.com"]])


class BatchAnswer(Answer):
    """The customers found, by the key asked for."""

    profiles: dict[str, CustomerWhole]
    missing: list[str]
