"""Reading about all customers: search, and the live board's figures."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request, Response

from projections.live_glance import Glance
from projections.serve import board_schemas
from projections.serve.keys import Caller
from projections.serve.problems import ProblemDetails
from projections.serve.sources import Sources
from projections.serve.stats import stats
from projections.serve.written import Json, instant

router = APIRouter(
    prefix="/v1",
    tags=["board"],
    responses={401: {"model": ProblemDetails}, 422: {"model": ProblemDetails}},
)


def found(one: Glance) -> Json:
    """Return a customer as a line of a search's answer."""
    return {
        "customer_id": one.customer_id,
        "name": one.name,
        "identifiers": list(one.profile.identifiers),
        "probability": one.risk and round(one.risk.probability, 6),
        "band": one.risk and one.risk.band,
        "last_seen_at": instant(one.profile.last_seen_ms),
        "open_alerts": sum(episode.status == "open" for episode in one.episodes.values()),
    }


def hits(sources: Sources, text: str, limit: int) -> list[Glance]:
    """Return the customers that a search finds."""
    glances = (sources.live.glance(one) for one in sources.live.search(text, limit))
    return [one for one in glances if one is not None]


@router.get("/search", response_model=board_schemas.SearchAnswer)
async def search(
    request: Request,
    _: Caller,
    q: Annotated[
        str,
        Query(
            min_length=1,
            max_length=200,
            description="an identifier, or how a name, an e-mail or a telephone begins; "
            "also a telephone's last four digits, and Hangul initials (ㄱㅁㅈ)",
        ),
    ],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """Find customers."""
    items = [found(one) for one in hits(request.app.state.sources, q, limit)]
    return Response(orjson.dumps({"items": items}), media_type="application/json")


@router.get("/stats", response_model=board_schemas.Stats)
async def get_stats(request: Request, _: Caller) -> Response:
    """Return the board's figures of this moment."""
    body = orjson.dumps(stats(request.app.state.sources))
    return Response(body, media_type="application/json")
