"""Reading one customer: by any identifier, as new as asked, and only when changed.

A record is laid out once for each of its versions and then sent as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import orjson
from fastapi import APIRouter, Header, Path, Query, Request, Response

from models.customer import Customer
from projections.live_wait import parse_receipt, wait_for
from projections.serve import schemas, views
from projections.serve.keys import Caller
from projections.serve.problems import Problem, ProblemDetails
from projections.serve.sources import Sources

_CACHED = 4_096
ERRORS: dict[int | str, dict[str, object]] = {
    304: {"description": "still the version that If-None-Match names"},
    401: {"model": ProblemDetails, "description": "no API key, or a wrong one"},
    404: {"model": ProblemDetails, "description": "no such customer"},
    422: {"model": ProblemDetails, "description": "the request cannot be read"},
    504: {"model": ProblemDetails, "description": "the receipt's event did not come in time"},
}

router = APIRouter(prefix="/v1", tags=["profiles"], responses=ERRORS)

Key = Annotated[
    str,
    Path(
        description="a customer id, or type:value of any identifier",
        examples=["email:ana@example.com"],
    ),
]
WaitFor = Annotated[
    str | None,
    Query(description="an ingest receipt: answer when its event is in the profile"),
]
Timeout = Annotated[float, Query(ge=0, le=30, description="seconds to wait for the receipt")]
IfNoneMatch = Annotated[str | None, Header(description="the ETag held: 304 when still so")]
Layout = Callable[[Customer], views.Json]


class Bodies:
    """Answers laid out already, by customer and part, for the version they show."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], tuple[Customer, bytes]] = {}

    def of(self, customer: Customer, part: str, layout: Layout) -> bytes:
        """Return `layout(customer)` as JSON."""
        place = (customer.customer_id, part)
        made = self._made.get(place)
        if made is not None and made[0] is customer:
            return made[1]
        body = orjson.dumps(layout(customer))
        if len(self._made) >= _CACHED:
            del self._made[next(iter(self._made))]
        self._made[place] = (customer, body)
        return body


async def _find(request: Request, key: str, receipt: str | None, timeout: float) -> Customer:
    sources: Sources = request.app.state.sources
    if receipt is None:
        customer = sources.live.get(key)
    else:
        customer = await _await(sources, key, receipt, timeout)
    if customer is None:
        raise Problem(404, "not-found", f"no customer is known as {key!r}")
    return customer


async def _await(sources: Sources, key: str, receipt: str, timeout: float) -> Customer | None:
    try:
        return await wait_for(sources.live, key, parse_receipt(receipt), timeout)
    except TimeoutError:
        raise Problem(
            504, "not-yet", f"the event at {receipt} was not in this profile after {timeout:g} s"
        ) from None
    except ValueError as error:
        raise Problem(422, "invalid-receipt", str(error)) from None


def _answer(
    request: Request, customer: Customer, held: str | None, part: str, layout: Layout
) -> Response:
    tag = f'"{customer.customer_id}-{customer.version}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    if held is not None and (held == "*" or tag in held):
        return Response(status_code=304, headers=headers)
    bodies: Bodies = request.app.state.bodies
    body = bodies.of(customer, part, layout)
    return Response(body, headers=headers, media_type="application/json")


@router.get("/profiles/{key}", response_model=schemas.CustomerWhole)
async def get_profile(
    request: Request,
    _: Caller,
    key: Key,
    wait_for: WaitFor = None,
    timeout: Timeout = 10.0,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Return one customer, whole."""
    customer = await _find(request, key, wait_for, timeout)
    return _answer(request, customer, if_none_match, "whole", views.whole)


def _timeline(customer: Customer) -> views.Json:
    recent = [views.moment(one) for one in customer.profile.recent]
    return views.head(customer) | {"timeline": recent}


def _scores(customer: Customer) -> views.Json:
    return views.head(customer) | {"scores": views.scores(customer)}


def _traits(customer: Customer) -> views.Json:
    profile = customer.profile
    return views.head(customer) | {
        "traits": views.stated(profile.traits),
        "consents": views.stated(profile.consents),
    }


def _offer(customer: Customer) -> views.Json:
    return views.head(customer) | {"offer": views.offer(customer.offer)}


def _part(name: str, model: type[schemas.Head], layout: Layout, summary: str) -> None:
    @router.get(
        f"/profiles/{{key}}/{name}",
        response_model=model,
        summary=summary,
        operation_id=f"get_{name}",
    )
    async def get_part(
        request: Request,
        _: Caller,
        key: Key,
        wait_for: WaitFor = None,
        timeout: Timeout = 10.0,
        if_none_match: IfNoneMatch = None,
    ) -> Response:
        customer = await _find(request, key, wait_for, timeout)
        return _answer(request, customer, if_none_match, name, layout)


_part("timeline", schemas.CustomerTimeline, _timeline, "The newest touchpoints, newest first")
_part("scores", schemas.CustomerScores, _scores, "The newest scores, with their reasons")
_part("traits", schemas.CustomerTraits, _traits, "What is stated, with its source and time")
_part("offer", schemas.CustomerOffer, _offer, "The offer to make now")


@router.post("/profiles:batchGet", response_model=schemas.BatchAnswer)
async def batch_get(request: Request, _: Caller, wanted: schemas.BatchRequest) -> Response:
    """Return up to 500 customers at once; keys that name nobody are `missing`."""
    sources: Sources = request.app.state.sources
    bodies: Bodies = request.app.state.bodies
    found: dict[str, orjson.Fragment] = {}
    missing: list[str] = []
    for key in wanted.keys:
        customer = sources.live.get(key)
        if customer is None:
            missing.append(key)
        else:
            found[key] = orjson.Fragment(bodies.of(customer, "whole", views.whole))
    answer = orjson.dumps({"profiles": found, "missing": missing})
    return Response(answer, media_type="application/json")
