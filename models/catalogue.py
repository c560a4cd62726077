"""The offer catalogue: what may be offered to whom, and what it is worth.

Read from TOML once at start (`parse`); a mistake in the file is an error that
names the place, never an offer that is silently left out.
"""

from __future__ import annotations

import tomllib
from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

NONE = "none"  # the arm that offers nothing


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
    """One offer. `value` and `cost` are in one unit of the deployment's choice."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    name: Name
    channels: tuple[str, ...] = Field(min_length=1, description="preferred one first")
    value: float = Field(gt=0, description="margin when it converts, after the discount")
    cost: float = Field(0.0, ge=0, description="of making it, converted or not")
    expires: datetime | None = Field(None, description="with time zone; not made from then on")
    cap: int = Field(3, ge=1, description="times it is made to one customer at most")
    eligible: Eligibility = Eligibility.model_validate({})

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.id == NONE:
            raise ValueError('"none" is the arm that offers nothing; choose another id')
        if self.expires is not None and self.expires.tzinfo is None:
            raise ValueError("expires needs a time zone")
        return self


class Policy(_Strict):
    """How offers are drawn."""

    seed: str = "c360"
    valid_days: float = Field(14.0, gt=0, description="a decision stands, and is judged, this long")
    none_value: float = Field(1.0, ge=0, description="margin when a customer buys without an offer")
    floor: float = Field(0.03, ge=0, le=0.5, description="share drawn uniformly, for exploration")
    holdout: float = Field(0.05, ge=0, lt=1, description="share of customers never made an offer")


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


class Catalogue(_Strict):
    """The offers, the policy that draws them, and the risk rule."""

    offers: tuple[Offer, ...] = ()
    policy: Policy = Policy.model_validate({})
    risk: RiskRule = RiskRule.model_validate({})

    @model_validator(mode="after")
    def _check(self) -> Self:
        ids = [offer.id for offer in self.offers]
        twice = {offer for offer in ids if ids.count(offer) > 1}
        if twice:
            raise ValueError(f"offer ids must be unique: {', '.join(sorted(twice))}")
        return self

    def offer(self, offer_id: str) -> Offer | None:
        """Return the offer of this id, or None."""
        return next((offer for offer in self.offers if offer.id == offer_id), None)


def parse(text: str) -> Catalogue:
    """Read a catalogue from TOML. Raises CatalogueError naming each fault."""
    try:
        return Catalogue.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"not TOML: {error}") from None
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in fault['loc']) or 'catalogue'}: {fault['msg']}"
            for fault in error.errors()
        ]
        raise CatalogueError("\n".join(faults)) from None
