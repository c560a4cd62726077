"""The page on one customer's offers: what the newest decision drew from, and what is so now."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from projections.newest_decision import Newest
from projections.serve import considered
from projections.serve.console.render import Renderer
from projections.serve.console.session import Reader
from projections.serve.offers import Offers
from projections.serve.problems import Problem
from projections.serve.sources import Sources

router = APIRouter(include_in_schema=False)


@router.get("/offers/considered")
async def customers_offers(
    request: Request, who: Reader, key: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """Show each arm as it stands for a customer: its chances then and now, or why not."""
    renderer: Renderer = request.app.state.renderer
    board: Offers = request.app.state.offers
    try:
        customer, told = considered.now(request, key.strip())
    except Problem:
        return renderer.page(request, "missing.html", status=404, who=who, key=key)
    arms: list[dict[str, Any]] = told["arms"]  # type: ignore[assignment]
    away, newest = False, None
    try:
        newest = await board.newest_decision((customer.customer_id, *customer.absorbed))
    except Problem:  # what is so now is known without
        away = True
    sources: Sources = request.app.state.sources
    seen = sources.live.glance(customer.customer_id)
    return renderer.page(
        request,
        "considered.html",
        who=who,
        told=told,
        newest=newest,
        away=away,
        rows=rows(arms, newest),
        name=seen.name if seen else customer.customer_id,
    )


def rows(arms: list[dict[str, Any]], newest: Newest | None) -> list[dict[str, Any]]:
    """Return the arms as they stand now, each with its chance `then`, and those that are gone.

    The likeliest first. `then` is None where an arm was not drawn from, or nothing is known.
    """
    chances = {} if newest is None else newest.chances
    now = {one["arm"]: one for one in arms}
    gone = [
        {"arm": arm, "offer": offer, "channel": channel or None, "gone": True}
        for arm in chances.keys() - now.keys()
        for offer, _, channel in (arm.partition("/"),)
    ]
    found = [
        {"gone": False, **one, "then": chances.get(one["arm"])} for one in [*now.values(), *gone]
    ]
    return sorted(found, key=_place)


def _place(row: dict[str, Any]) -> tuple[float, float, str]:
    return -(row["then"] or 0.0), -row.get("propensity", 0.0), row["arm"]
