"""What the API tells about offers, as types. Written by `offers`; money is the catalogue's."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from projections.serve.part_schemas import Answer


class OfferResult(Answer):
    """What followed an offer in a channel. Not what it caused: the lift tells that."""

    offer: str
    channel: str = Field(description="empty: no offer was made")
    campaign: str
    policy: str = Field(description="what drew it")
    made: int
    ended: int = Field(description="whose window has ended; what follows is of these")
    shown: int
    accepted: int
    converted: int
    margin: float
    cost: float
    earned: float = Field(description="margin less cost")
    earned_each: float = Field(description="a decision")


class OfferLift(Answer):
    """What making offers earned a customer more, against the control customers."""

    campaign: str | None = Field(description="null: all offers")
    offered_customers: int
    control_customers: int
    offered_earned: float | None = Field(description="a customer")
    control_earned: float | None
    lift: float | None
    lift_low: float | None = Field(description="95 % interval")
    lift_high: float | None
    refused: str | None = Field(description="why there is no lift")


class Estimated(Answer):
    """A value a decision with its 95 % interval."""

    value: float
    low: float | None = Field(description="null: the direct method has no interval")
    high: float | None


class JudgedPolicy(Answer):
    """What a policy would have earned."""

    policy: str
    value: Estimated | None = Field(description="doubly robust")
    gain: Estimated | None = Field(description="more than what was logged")
    estimates: dict[str, Estimated] = Field(description="by every estimator")
    effective: float = Field(description="decisions of its own that would tell as much")
    supported: float = Field(description="share of it that the log could do, too")
    refused: str | None = Field(description="why there is no value")


class JudgedPolicies(Answer):
    """Policies judged by the newest decisions."""

    judged: int
    customers: int
    first_at: datetime | None
    last_at: datetime | None
    logged: Estimated | None = Field(description="what the decisions earned")
    least_effective: float
    least_customers: int
    policies: list[JudgedPolicy]


class OfferResults(Answer):
    """All of it, as of some time within the last minute."""

    at: datetime
    results: list[OfferResult]
    lift: list[OfferLift]
    policies: JudgedPolicies
