"""Reading one customer: by any identifier, as new as asked, and only when changed."""

from __future__ import annotations

import asyncio
from typing import Annotated

import orjson
from fastapi import APIRouter, Header, Path, Query, Request, Response

from projections.live_wait import parse_receipt, wait_for
from projections.serve import identity_schemas, schemas
from projections.serve.asof import AsOf, question
from projections.serve.keys import Caller
from projections.serve.points import WHOLE, Points
from projections.serve.problems import Problem, ProblemDetails, unknown
from projections.serve.sources import Sources

ERRORS: dict[int | str, dict[str, object]] = {
    304: {"description": "still the version that If-None-Match names"},
    401: {"model": ProblemDetails, "description": "no API key, or a wrong one"},
    404: {"model": ProblemDetails, "description": "no such customer"},
    422: {"model": ProblemDetails, "description": "the request cannot be read"},
    503: {"model": ProblemDetails, "description": "as of a time: ClickHouse does not answer"},
    504: {"model": ProblemDetails, "description": "the receipt's event did not come in time"},
}

_TURN = 16  # customers of a batch laid out at once: some 3 ms

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
At = Annotated[
    str | None,
    Query(
        description="ISO 8601 time: the customer as it stood then, by all that is known of it now; "
        "a date alone is its first moment, UTC where no zone is said",
        examples=["2026-11-22T09:30:00Z"],
    ),
]
KnownAt = Annotated[
    str | None,
    Query(
        description="ISO 8601 time: what was known by then, from what had reached us, and who was "
        "held for whom; with `at`: of what had happened by that time",
        examples=["2026-11-22T09:30:00Z"],
    ),
]
IfNoneMatch = Annotated[str | None, Header(description="the ETag held: 304 when still so")]


async def _answer(
    request: Request, key: str, part: str, receipt: str | None, timeout: float, held: str | None
) -> Response:
    sources: Sources = request.app.state.sources
    points: Points = request.app.state.points
    if receipt is None:
        customer_id = sources.live.locate(key)
    else:
        customer_id = await _await(sources, key, receipt, timeout)
    if customer_id is None:
        raise unknown(key)
    return points.answer(customer_id, part, held).response()


async def _await(sources: Sources, key: str, receipt: str, timeout: float) -> str | None:
    try:
        customer = await wait_for(sources.live, key, parse_receipt(receipt), timeout)
    except TimeoutError:
        raise Problem(
            504, "not-yet", f"the event at {receipt} was not in this profile after {timeout:g} s"
        ) from None
    except ValueError as error:
        raise Problem(422, "invalid-receipt", str(error)) from None
    return customer.customer_id if customer else None


@router.get("/profiles/{key}", response_model=schemas.CustomerWhole | schemas.CustomerAsOf)
async def get_profile(
    request: Request,
    _: Caller,
    key: Key,
    wait_for: WaitFor = None,
    timeout: Timeout = 10.0,
    if_none_match: IfNoneMatch = None,
    at: At = None,
    known_at: KnownAt = None,
) -> Response:
    """Return one customer, whole: live, or as of a time."""
    sources: Sources = request.app.state.sources
    asked = question(at, known_at, sources.live.now_ms())
    if asked is not None:
        if wait_for is not None:
            raise Problem(422, "invalid-request", "wait_for is for the live profile alone")
        past: AsOf = request.app.state.as_of
        return await past.answer(key, asked)
    return await _answer(request, key, WHOLE, wait_for, timeout, if_none_match)


def _part(name: str, model: type[schemas.Head], summary: str) -> None:
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
        return await _answer(request, key, name, wait_for, timeout, if_none_match)


_part("timeline", schemas.CustomerTimeline, "The newest touchpoints, newest first")
_part("scores", schemas.CustomerScores, "The newest scores, with their reasons")
_part("traits", schemas.CustomerTraits, "What is stated, with its source and time")
_part("offer", schemas.CustomerOffer, "The offer to make now")
_part(
    "identity",
    identity_schemas.CustomerIdentity,
    "Who is this one customer: members and identifiers",
)


@router.post("/profiles:batchGet", response_model=schemas.BatchAnswer)
async def batch_get(request: Request, _: Caller, wanted: schemas.BatchRequest) -> Response:
    """Return up to 500 customers at once; keys that name nobody are `missing`."""
    sources: Sources = request.app.state.sources
    points: Points = request.app.state.points
    found: dict[str, orjson.Fragment] = {}
    missing: list[str] = []
    for number, key in enumerate(wanted.keys):
        if number % _TURN == _TURN - 1:
            await asyncio.sleep(0)  # others have their turn
        customer_id = sources.live.locate(key)
        if customer_id is None:
            missing.append(key)
        else:
            found[key] = orjson.Fragment(points.body(customer_id))
    answer = orjson.dumps({"profiles": found, "missing": missing})
    return Response(answer, media_type="application/json")
