"""What would be offered to one customer now: each arm with its chance and worth, or why not.

Told of a new decision, by the newest model. The one that stands is `offer`, and stays until it
expires, is answered, or may be shown no more.
"""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import Field

from models.catalogue import Catalogue
from models.customer import Customer
from models.decide import Considered, consider
from models.eligibility import Refusal
from models.judge import Judge
from projections.serve import conclusions, views
from projections.serve.keys import Caller
from projections.serve.part_schemas import Answer, InWords, OfferNow
from projections.serve.problems import unknown
from projections.serve.profiles import ERRORS, Key
from projections.serve.schemas import Head
from projections.serve.sources import Sources, wall_ms
from projections.serve.written import Json

router = APIRouter(prefix="/v1", tags=["profiles"], responses=ERRORS)

# Why an arm may not be drawn, for whoever asks.
WHY: dict[Refusal, tuple[str, str]] = {
    Refusal.HOLDOUT: ("a control customer, never made an offer", "대조군 고객이라 제안하지 않음"),
    Refusal.CONTACT_CAP: (
        "was made as many offers lately as anybody may be",
        "최근 제안 횟수가 한도에 이름",
    ),
    Refusal.EXPIRED: ("the offer has ended", "제안 기간이 끝남"),
    Refusal.SOLD_OUT: ("nothing is left in stock", "재고가 없음"),
    Refusal.CAMPAIGN_HOLDOUT: (
        "a control customer of this campaign",
        "이 캠페인의 대조군 고객",
    ),
    Refusal.CAP: (
        "was made to this customer as often as it may be",
        "이 고객에게 제안할 수 있는 횟수를 다 씀",
    ),
    Refusal.ORDERS: ("too few orders so far", "주문 횟수가 모자람"),
    Refusal.RISK: ("the risk of losing the customer is too small", "이탈 위험이 기준보다 낮음"),
    Refusal.CONSENT: ("the customer has not consented", "고객이 동의하지 않음"),
    Refusal.TIER: ("not of a tier that it is for", "대상 등급이 아님"),
    Refusal.SUBSCRIPTION: (
        "only for those with, or without, a subscription",
        "구독 조건에 맞지 않음",
    ),
    Refusal.OWNED: ("the customer has it already", "이미 가지고 있음"),
    Refusal.COMPLAINT: ("a ticket is open", "처리 중인 문의가 있음"),
    Refusal.CHANNEL_CONSENT: ("the customer refused this channel", "고객이 이 채널을 거부함"),
    Refusal.UNREACHABLE: (
        "there is no address or app to reach the customer by",
        "연락할 주소나 앱이 없음",
    ),
}

Chance = Annotated[float, Field(ge=0, le=1)]


class ArmConsidered(Answer):
    """An offer in a channel, or none, as it stands for the customer."""

    arm: str
    offer: str
    channel: str | None
    name: InWords | None = Field(description="the offer's; null for none")
    eligible: bool
    refusal: str | None = Field(description="why it is not eligible, as a name that stays")
    text: InWords | None = Field(description="why it is not eligible, in words")
    propensity: Chance = Field(description="with which it would be drawn now")
    conversion: Chance | None = Field(description="P(conversion) within the window")
    worth: float | None = Field(description="margin expected of it, less cost, in `currency`")


class CustomerOffers(Head):
    """Every arm of the catalogue as it stands for the customer; none is the last."""

    offer: OfferNow | None
    currency: str
    model_version: int
    arms: list[ArmConsidered]


@router.get("/profiles/{key}/offers", response_model=CustomerOffers, name="get_offers")
async def get_offers(request: Request, _: Caller, key: Key) -> Response:
    """Return what would be offered now: each arm with its chance and worth, or why not."""
    return Response(orjson.dumps(now(request, key)[1]), media_type="application/json")


def now(request: Request, key: str) -> tuple[Customer, Json]:
    """Return the customer whom `key` names, and what is considered. Raises Problem 404."""
    sources: Sources = request.app.state.sources
    customer_id = sources.live.locate(key)
    customer = sources.live.customer(customer_id) if customer_id is not None else None
    if customer is None:
        raise unknown(key)
    settings, catalogue = request.app.state.settings, request.app.state.catalogue
    judge = Judge(
        offers=sources.offer_model.now(),
        catalogue=catalogue,
        horizon_days=settings.horizon_days,
        contract_horizon_days=settings.contract_horizon_days,
        population=sources.learnt.now().population,
    )
    return customer, told(customer, judge, wall_ms())


def told(customer: Customer, judge: Judge, now_ms: int) -> Json:
    """Lay out what is considered for a customer at `now_ms`."""
    now_ms = max(now_ms, customer.clock_ms)
    return views.head(customer) | {
        "offer": conclusions.offer(customer.offer),
        "currency": judge.catalogue.policy.currency,
        "model_version": judge.offers.learnt,
        "arms": [_arm(one, judge.catalogue) for one in consider(customer, now_ms, judge)],
    }


def _arm(one: Considered, catalogue: Catalogue) -> Json:
    offer_id, _, channel = one.arm.partition("/")
    offer = catalogue.offer(offer_id)
    return {
        "arm": one.arm,
        "offer": offer_id,
        "channel": channel or None,
        "name": None if offer is None else {"en": offer.name.en, "ko": offer.name.ko},
        "eligible": one.refusal is None,
        "refusal": one.refusal and one.refusal.value,
        "text": None
        if one.refusal is None
        else dict(zip(("en", "ko"), WHY[one.refusal], strict=True)),
        "propensity": round(one.propensity, 6),
        "conversion": None if one.conversion is None else round(one.conversion, 6),
        "worth": None if one.worth is None else round(one.worth, 4),
    }
