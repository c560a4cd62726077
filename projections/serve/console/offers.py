"""The page on offers: what followed, what they caused, what others would have earned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response

from models.uplift import MIN_GROUP
from projections.serve.console.render import Renderer
from projections.serve.console.session import Reader
from projections.serve.offers import Offers
from projections.serve.problems import Problem

WIDE, EDGE = 600.0, 8.0

router = APIRouter(include_in_schema=False)


class Range(NamedTuple):
    """An interval as a line with a point, in the units of the view box."""

    low: float
    value: float
    high: float
    kind: str  # "better", "worse" or "unsure", than what was logged


class Drawn(NamedTuple):
    """Intervals on one scale, with where what was logged lies."""

    ranges: dict[str, Range]  # by policy
    logged: Range


@router.get("/offers")
async def offers(request: Request, who: Reader) -> Response:
    """Show what offers came to."""
    renderer: Renderer = request.app.state.renderer
    board: Offers = request.app.state.offers
    try:
        found = await board.answer()
    except Problem as problem:
        return renderer.page(request, "offers.html", problem.status, who=who, away=problem.detail)
    policies: dict[str, Any] = found["policies"]  # type: ignore[assignment]
    return renderer.page(
        request,
        "offers.html",
        who=who,
        away=None,
        least_group=MIN_GROUP,
        results=found["results"],
        lift=found["lift"],
        policies=policies,
        drawn=drawn(policies["logged"], policies["policies"]),
    )


def drawn(logged: dict[str, float] | None, policies: Sequence[dict[str, Any]]) -> Drawn | None:
    """Lay the policies' values out on one scale; None: there is nothing to show."""
    told = [one for one in policies if one["value"] is not None]
    if logged is None or not told:
        return None
    ends = [said[end] for said in (logged, *(o["value"] for o in told)) for end in ("low", "high")]
    least, most = min(ends), max(ends)
    scale = (WIDE - 2 * EDGE) / ((most - least) or 1.0)

    def placed(said: dict[str, float], kind: str) -> Range:
        low, value, high = (
            round(EDGE + (said[name] - least) * scale, 1) for name in ("low", "value", "high")
        )
        return Range(low, value, high, kind)

    ranges = {one["policy"]: placed(one["value"], _kind(one["gain"])) for one in told}
    return Drawn(ranges, placed(logged, "logged"))


def _kind(gain: dict[str, float]) -> str:
    return "better" if gain["low"] > 0 else "worse" if gain["high"] < 0 else "unsure"
