"""Who a customer is: its members, and what became of a merge or an unmerge that was asked for.

All of it is read off the live profiles and the dead letters, so an answer tells what readers
of profiles see, not what the resolver has decided and nobody sees yet.
"""

from __future__ import annotations

from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Query, Request, Response

from models.naming import CUSTOMER_ID
from models.topics import IDENTITY_LINKS
from projections.live import Live
from projections.live_wait import Receipt, parse_receipt
from projections.serve import identity_schemas
from projections.serve.keys import Caller
from projections.serve.problems import Problem, ProblemDetails
from projections.serve.sources import Sources
from projections.serve.written import Json

router = APIRouter(
    prefix="/v1",
    tags=["identity"],
    responses={401: {"model": ProblemDetails}, 422: {"model": ProblemDetails}},
)
Status = Literal["waiting", "refused", "refolding", "done"]


@router.get("/identity/outcome", response_model=identity_schemas.Outcome)
async def get_outcome(
    request: Request,
    _: Caller,
    receipt: Annotated[str, Query(description="of the command: identity-links/0:1234")],
    customer: Annotated[
        list[str], Query(description="the customer ids that the command named: one, or two")
    ],
) -> Response:
    """Tell what became of a merge (of two customers) or an unmerge (of one)."""
    sources: Sources = request.app.state.sources
    body = orjson.dumps(outcome(sources, _command(receipt, customer), customer))
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})


def outcome(sources: Sources, command: Receipt, named: list[str]) -> Json:
    """Return what became of a command that named one customer (unmerge) or two (merge)."""
    letter = sources.dead_letters.of(f"{command.log}/{command.offset}")
    live = sources.live
    roots = [live.root(one) for one in named]
    status: Status = "waiting"
    if letter is not None:
        status = "refused"
    elif _is_done(live, command, named, roots):
        glances = [live.glance(root) for root in roots if root is not None]
        whole = all(one is not None and one.regroup is None for one in glances)
        status = "done" if whole else "refolding"
    return {
        "receipt": f"{command.log}:{command.offset}",
        "status": status,
        "detail": letter.detail if letter else None,
        "customers": [
            {"asked": asked, "customer_id": root} for asked, root in zip(named, roots, strict=True)
        ],
    }


def _is_done(live: Live, command: Receipt, named: list[str], roots: list[str | None]) -> bool:
    if len(named) > 1:
        return roots[0] is not None and roots[0] == roots[1]
    seen = live.glance(named[0])
    return seen is not None and seen.generation >= command.offset


def _command(receipt: str, named: list[str]) -> Receipt:
    try:
        command = parse_receipt(receipt)
    except ValueError as error:
        raise Problem(422, "invalid-receipt", str(error)) from None
    if command.log != f"{IDENTITY_LINKS.name}/0":
        raise Problem(422, "invalid-receipt", f"{receipt} is no place of {IDENTITY_LINKS.name}")
    if len(named) > 2 or not all(CUSTOMER_ID.fullmatch(one) for one in named):
        raise Problem(422, "invalid-request", "name one customer id (unmerge), or two (merge)")
    return command
