"""Offers made, and what became of them."""

from __future__ import annotations

from typing import Literal

from models.events.base import Contact, Id, Label
from models.money import Money


class _Offer(Contact):
    offer: Id  # its id in the catalogue
    decision_id: Id | None = None  # the decision that it follows, so that the outcome is learnt


class OfferShown(_Offer):
    """An offer was shown."""

    type: Literal["offer_shown"] = "offer_shown"
    schema_version: Literal[1] = 1


class OfferAccepted(_Offer):
    """An offer was accepted."""

    type: Literal["offer_accepted"] = "offer_accepted"
    schema_version: Literal[1] = 1
    value: Money | None = None


class OfferDeclined(_Offer):
    """An offer was declined."""

    type: Literal["offer_declined"] = "offer_declined"
    schema_version: Literal[1] = 1
    cause: Label | None = None
