"""Reading about offers: what followed, what they caused, what other policies would have earned.

Asked of ClickHouse in a thread, by one request at a time, and kept for a while: no live figure.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import orjson
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from fastapi import APIRouter, Request, Response

from models.catalogue import Catalogue
from models.offpolicy import MIN_CUSTOMERS, MIN_EFFECTIVE, PolicyValue
from models.offpolicy.evaluation import Estimate
from models.uplift import MIN_GROUP
from projections.client import is_away, is_behind
from projections.newest_decision import Newest, newest_decision
from projections.offer_log import TooManyArmsError
from projections.offer_worth import Shown, shown
from projections.serve import offer_schemas
from projections.serve.keys import Caller
from projections.serve.problems import Problem, ProblemDetails
from projections.serve.written import Json, instant

Answer = TypeVar("Answer")
_log = logging.getLogger(__name__)
KEEP_SECONDS: Final = 60.0
RETRY_SECONDS: Final = 5

router = APIRouter(
    prefix="/v1/offers",
    tags=["offers"],
    responses={401: {"model": ProblemDetails}, 503: {"model": ProblemDetails}},
)


class Offers:
    """The newest answer, and when it was made."""

    def __init__(
        self, connect: Callable[[], Client], catalogue: Catalogue, now_ms: Callable[[], int]
    ) -> None:
        self._connect = connect
        self._catalogue = catalogue
        self._now_ms = now_ms
        self._turn = asyncio.Lock()
        self._kept: Json | None = None
        self._until = 0.0

    async def answer(self) -> Json:
        """Return what offers came to. Raises Problem 503 while ClickHouse does not answer."""
        async with self._turn:
            if self._kept is None or time.monotonic() >= self._until:
                self._kept = await asyncio.to_thread(self._made)
                self._until = time.monotonic() + KEEP_SECONDS
            return self._kept

    async def newest_decision(self, ids: Sequence[str]) -> Newest | None:
        """Return the newest decision about a customer, by all his ids. Raises Problem as above."""
        return await asyncio.to_thread(self._asked, lambda client: newest_decision(client, ids))

    def _made(self) -> Json:
        now_ms = self._now_ms()
        return self._asked(lambda client: told(shown(client, now_ms, self._catalogue), now_ms))

    def _asked(self, ask: Callable[[Client], Answer]) -> Answer:
        try:
            with self._connect() as client:
                return ask(client)
        except TooManyArmsError as error:
            raise _unavailable(str(error)) from error
        except (ClickHouseError, OSError) as error:
            if is_away(error) or is_behind(error):
                _log.warning("no answer about offers: %s", str(error).split("Stack", 1)[0][:300])
                raise _unavailable("ClickHouse, which keeps outcomes, does not answer") from error
            raise


@router.get("/results", response_model=offer_schemas.OfferResults)
async def offer_results(request: Request, _: Caller) -> Response:
    """Return what followed each offer, what offers caused, and what others would have earned."""
    offers: Offers = request.app.state.offers
    return Response(orjson.dumps(await offers.answer()), media_type="application/json")


def told(what: Shown, now_ms: int) -> Json:
    """Lay the answer out as the API tells it."""
    return {
        "at": instant(now_ms),
        "results": what.results,
        "lift": [_lift(row) for row in what.lift],
        "policies": {
            "judged": what.judged,
            "customers": what.customers,
            "first_at": what.first and what.first.isoformat(),
            "last_at": what.last and what.last.isoformat(),
            "logged": _estimate(what.logged),
            "least_effective": MIN_EFFECTIVE,
            "least_customers": MIN_CUSTOMERS,
            "policies": [_policy(one) for one in what.policies],
        },
    }


def _lift(row: dict[str, Any]) -> Json:
    """Return a campaign's lift; of too few customers it is none."""
    few = min(row["offered_customers"], row["control_customers"]) < MIN_GROUP
    known = ("offered_earned", "control_earned", "lift", "lift_low", "lift_high")
    return {
        "campaign": row["campaign"] or None,
        "offered_customers": row["offered_customers"],
        "control_customers": row["control_customers"],
        **{name: None if few else row[name] for name in known},
        "refused": f"at least {MIN_GROUP} customers of each are needed" if few else None,
    }


def _policy(one: PolicyValue) -> Json:
    return {
        "policy": one.policy,
        "value": _estimate(one.estimates.get("dr")),
        "gain": _estimate(one.gain),
        "estimates": {name: _estimate(said) for name, said in one.estimates.items()},
        "effective": one.effective,
        "supported": one.supported,
        "refused": one.refused,
    }


def _estimate(one: Estimate | None) -> Json | None:
    return None if one is None else {"value": one.value, "low": one.low, "high": one.high}


def _unavailable(why: str) -> Problem:
    return Problem(503, "results-unavailable", why, headers={"Retry-After": str(RETRY_SECONDS)})
