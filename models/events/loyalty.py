"""Points, tiers and coupons."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from models.events.base import Contact, Id, Instant, Label, Name
from models.money import Money

Points = Annotated[int, Field(ge=1, le=1_000_000_000)]


class PointsEarned(Contact):
    """Points were granted."""

    type: Literal["points_earned"] = "points_earned"
    schema_version: Literal[1] = 1
    points: Points
    program: Name = "default"
    cause: Label | None = None
    order_id: Id | None = None
    expires_at: Instant | None = None


class PointsRedeemed(Contact):
    """Points were spent."""

    type: Literal["points_redeemed"] = "points_redeemed"
    schema_version: Literal[1] = 1
    points: Points
    program: Name = "default"
    reward: Label | None = None
    order_id: Id | None = None


class TierChanged(Contact):
    """The customer rose or fell to a tier."""

    type: Literal["tier_changed"] = "tier_changed"
    schema_version: Literal[1] = 1
    tier: Name
    previous: Name | None = None
    program: Name = "default"
    expires_at: Instant | None = None


class CouponRedeemed(Contact):
    """A coupon was used."""

    type: Literal["coupon_redeemed"] = "coupon_redeemed"
    schema_version: Literal[1] = 1
    coupon: Id
    order_id: Id | None = None
    discount: Money | None = None
