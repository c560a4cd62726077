"""The offer catalogue: what may be offered to whom, and what it is worth.

Read from TOML once at start (`parse`); a mistake in the file is an error that
names the place, never an offer that is silently left out.
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.events.base import Channel
from models.money import Currency
from models.toml import read

NONE = "none"  # the arm that offers nothing
MOST = 64  # offers, of which the model keeps what it learnt


class CatalogueError(ValueError):
    """The catalogue file cannot be used; the message names the place."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Name(_Strict):
    """The offer's name as customers read it, by language."""

    en: str = Field(min_length=1)
    ko: str = Field(min_length=1)


class Eligibility(_Strict):
    """Who may get an offer. Everything left out is no condition."""

    consent: str | None = Field(None, description="purpose that must be granted")
    not_owned: tuple[str, ...] = Field((), description="product ids; owning one excludes")
    min_orders: int = Field(0, ge=0)
    tiers: tuple[str, ...] = Field((), description="values of the trait `tier`")
    subscribed: bool | None = Field(None, description="has, or has no, active subscription")
    during_complaint: bool = Field(False, description="also while a ticket is open")
    min_risk: float = Field(0.0, ge=0, le=1, description="churn probability from which it is made")


class Offer(_Strict):
    """One offer. Money is in the policy's currency, in its major unit."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    name: Name
    channels: tuple[Channel, ...] = Field(min_length=1, description="each is an arm of its own")
    value: float = Field(gt=0, description="margin of a conversion, while little is learnt")
    cost: float = Field(0.0, ge=0, description="of making it, converted or not")
    costs: dict[Channel, float] = Field(
        default_factory=dict, description="of making it by a channel, where it is another"
    )
    expires: datetime | None = Field(None, description="with time zone; not made from then on")
    cap: int = Field(3, ge=1, description="times it is made to one customer at most")
    stock: int | None = Field(None, ge=0, description="units there are; a decision reserves one")
    coupon: str | None = Field(None, min_length=1, description="an order with it claims the offer")
    category: str | None = Field(None, min_length=1, description="interest that it is for")
    campaign: str | None = Field(None, description="id of the campaign it belongs to")
    eligible: Eligibility = Eligibility.model_validate({})

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.id == NONE:
            raise ValueError('"none" is the arm that offers nothing; choose another id')
        if self.expires is not None and self.expires.tzinfo is None:
            raise ValueError("expires needs a time zone")
        if len(set(self.channels)) < len(self.channels):
            raise ValueError("a channel is listed twice")
        if unknown := self.costs.keys() - set(self.channels):
            raise ValueError(f"costs of channels it is not made in: {', '.join(sorted(unknown))}")
        if any(cost < 0 for cost in self.costs.values()):
            raise ValueError("costs are not negative")
        return self

    def cost_in(self, channel: Channel) -> float:
        """Return what making it in this channel costs."""
        return self.costs.get(channel, self.cost)


class Campaign(_Strict):
    """Offers that are judged together, against control customers of their own."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    holdout: float = Field(ge=0, lt=1, description="share never made an offer of it")
    seed: str = Field("", description="a new one draws other control customers")


class Policy(_Strict):
    """How offers are drawn, and what counts as their success."""

    seed: str = "c360"
    currency: Currency = "USD"  # of all money here, in its major unit
    valid_days: float = Field(14.0, gt=0, description="a decision stands this long")
    attribution_days: float | None = Field(
        None, gt=0, description="its window for outcomes, at least valid_days; else just as long"
    )
    attribution: Literal["any", "shown", "claimed"] = Field(
        "any",
        description="orders in the window that count: any; once it was shown; with its coupon "
        "or decision id",
    )
    none_value: float = Field(1.0, ge=0, description="margin when a customer buys without an offer")
    most: float | None = Field(
        None,
        gt=0,
        description="a decision's margin counts up to this; else ten times the largest value",
    )
    floor: float = Field(0.03, ge=0, le=0.5, description="share drawn uniformly, for exploration")
    boldness: float = Field(
        0.5, gt=0, le=2, description="of the model's doubt, the share that is explored by"
    )
    half_life: float = Field(
        10_000, ge=0, description="outcomes after which half is forgotten; 0: nothing is"
    )
    holdout: float = Field(0.05, ge=0, lt=1, description="share of customers never made an offer")
    contact_cap: int | None = Field(None, ge=1, description="offers to one customer, of any kind")
    contact_days: float = Field(30.0, gt=0, description="within so many days")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.attribution_days is not None and self.attribution_days < self.valid_days:
            raise ValueError("attribution_days must be at least valid_days")
        return self

    @property
    def window_days(self) -> float:
        """How long after a decision its outcomes count."""
        return self.valid_days if self.attribution_days is None else self.attribution_days


class RiskRule(_Strict):
    """When churn risk becomes an alert. Two thresholds, so that it does not flap."""

    high: float = Field(0.7, gt=0, lt=1, description="opens at or above")
    low: float = Field(0.5, gt=0, lt=1, description="closes below")
    min_visits: int = Field(3, ge=1, description="with fewer there is no rhythm to break")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.low >= self.high:
            raise ValueError("low must be less than high")
        return self


class Arm(NamedTuple):
    """What is drawn: an offer in a channel."""

    name: str  # "winback-20/email"
    offer: Offer
    channel: str
    cost: float


class Catalogue(_Strict):
    """The offers, their campaigns, the policy that draws them, and the risk rule."""

    offers: tuple[Offer, ...] = Field((), max_length=MOST)
    campaigns: tuple[Campaign, ...] = ()
    policy: Policy = Policy.model_validate({})
    risk: RiskRule = RiskRule.model_validate({})

    @model_validator(mode="after")
    def _check(self) -> Self:
        for of, ids in (
            ("offer", [offer.id for offer in self.offers]),
            ("campaign", [campaign.id for campaign in self.campaigns]),
        ):
            if twice := {one for one in ids if ids.count(one) > 1}:
                raise ValueError(f"{of} ids must be unique: {', '.join(sorted(twice))}")
        named = {campaign.id for campaign in self.campaigns}
        for offer in self.offers:
            if offer.campaign is not None and offer.campaign not in named:
                raise ValueError(f"offer {offer.id}: no campaign {offer.campaign}")
        return self

    def offer(self, offer_id: str) -> Offer | None:
        """Return the offer of this id, or None."""
        return self._by_id.get(offer_id)

    @cached_property
    def _by_id(self) -> dict[str, Offer]:
        return {offer.id: offer for offer in self.offers}

    @cached_property
    def arms(self) -> tuple[Arm, ...]:
        """All that may be drawn but none, in the catalogue's order."""
        return tuple(
            Arm(f"{offer.id}/{channel}", offer, channel.value, offer.cost_in(channel))
            for offer in self.offers
            for channel in offer.channels
        )

    @cached_property
    def channels(self) -> tuple[str, ...]:
        """The channels of the offers."""
        return tuple(sorted({arm.channel for arm in self.arms}))

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """The interests that offers are for."""
        return tuple(sorted({offer.category for offer in self.offers if offer.category}))

    @cached_property
    def most(self) -> float:
        """What one decision's margin counts up to."""
        values = (self.policy.none_value, *(offer.value for offer in self.offers))
        return self.policy.most or 10.0 * max(values) or 1.0


def parse(text: str) -> Catalogue:
    """Read a catalogue from TOML. Raises CatalogueError naming each fault."""
    return read(Catalogue, text, CatalogueError, "catalogue")
