"""The customer's page as of a time: what it would have shown then, and nothing that is live."""

from __future__ import annotations

from fastapi import Request, Response

from models.customer import encode
from projections.live_glance import glance
from projections.serve.asof import AsOf, question
from projections.serve.console.customer import page as customer_page
from projections.serve.console.render import Renderer
from projections.serve.problems import Problem
from projections.serve.sources import Sources
from projections.serve.written import instant


async def past_page(
    request: Request, who: str, key: str, at: str | None, known_at: str | None
) -> Response:
    """Show a customer as of a time, or say why that cannot be."""
    renderer: Renderer = request.app.state.renderer
    sources: Sources = request.app.state.sources
    past: AsOf = request.app.state.as_of
    live = sources.live
    times: dict[str, str | None] = {"at": None, "known_at": None}
    try:
        asked = question(at, known_at, live.now_ms())
        if asked is None:
            raise Problem(422, "invalid-time", "no time was said")
        times = {"at": instant(asked.at_ms), "known_at": instant(asked.known_ms)}
        found = await past.find(key, asked)
    except Problem as problem:
        return renderer.page(
            request, "past_missing.html",
            status=problem.status, who=who, key=key, why=problem.kind, asked=times,
        )  # fmt: skip
    page = customer_page(
        found.customer,
        glance(encode(found.customer)),
        request.app.state.catalogue,
        renderer.words(request),
        sources.learnt.then(asked.at_ms or asked.known_ms or live.now_ms()),
        live.root,
    )
    return renderer.page(
        request, "past.html", who=who, key=key, page=page, asked=times, as_of=found.as_of
    )
