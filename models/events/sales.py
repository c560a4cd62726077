"""Leads, opportunities and subscriptions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from models.events.base import Contact, Id, Instant, Label, Name
from models.money import Money

Period = Literal["day", "week", "month", "quarter", "year"]


class LeadCreated(Contact):
    """Somebody may become a customer."""

    type: Literal["lead_created"] = "lead_created"
    schema_version: Literal[1] = 1
    lead_id: Id
    interest: Label | None = None
    owner: Label | None = None
    value: Money | None = None


class OpportunityChanged(Contact):
    """A possible sale came up or moved to another stage."""

    type: Literal["opportunity_changed"] = "opportunity_changed"
    schema_version: Literal[1] = 1
    opportunity_id: Id
    stage: Name  # "qualified", "proposal", "won", "lost"
    value: Money | None = None
    probability: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    closes_at: Instant | None = None
    owner: Label | None = None


class SubscriptionStarted(Contact):
    """A subscription or contract began."""

    type: Literal["subscription_started"] = "subscription_started"
    schema_version: Literal[1] = 1
    subscription_id: Id
    plan: Name
    price: Money | None = None  # a period
    period: Period = "month"
    renews_at: Instant | None = None
    trial: bool = False


class SubscriptionRenewed(Contact):
    """A subscription went into another period."""

    type: Literal["subscription_renewed"] = "subscription_renewed"
    schema_version: Literal[1] = 1
    subscription_id: Id
    plan: Name | None = None
    price: Money | None = None
    period: Period | None = None
    renews_at: Instant | None = None


class SubscriptionCancelled(Contact):
    """The customer gave a subscription up."""

    type: Literal["subscription_cancelled"] = "subscription_cancelled"
    schema_version: Literal[1] = 1
    subscription_id: Id
    plan: Name | None = None
    cause: Label | None = None
    ends_at: Instant | None = None
