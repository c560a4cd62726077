"""The console's routes: its pages and their live updates."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles

from projections.live import Live
from projections.serve.board import hits
from projections.serve.console import considered, login, offers
from projections.serve.console.customer import page as customer_page
from projections.serve.console.models import models_page
from projections.serve.console.past import past_page
from projections.serve.console.render import Renderer
from projections.serve.console.session import Ended, LoginNeededError, Reader
from projections.serve.sources import STATS_EVERY, Sources
from projections.serve.stream import HEARTBEAT, event, sse, watched

STATIC = Path(__file__).parent / "static"
LONGEST = 3_600.0  # seconds a live page listens before it comes again, logged in or not

Time = Annotated[str | None, Query(max_length=100)]

router = APIRouter(include_in_schema=False)


def install(app: FastAPI) -> None:
    """Add the console to `app`."""
    app.state.renderer = Renderer(app.state.catalogue)
    app.state.ended = Ended()
    app.include_router(router)
    app.include_router(login.router)
    app.include_router(offers.router)
    app.include_router(considered.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_exception_handler(LoginNeededError, _to_login)


async def _to_login(request: Request, _: Exception) -> Response:
    if "/live" in request.url.path:
        return Response(status_code=401)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/login?next={quote(here, safe='')}", 303)


def _renderer(request: Request) -> Renderer:
    renderer: Renderer = request.app.state.renderer
    return renderer


def _sources(request: Request) -> Sources:
    sources: Sources = request.app.state.sources
    return sources


@router.get("/")
async def board(request: Request, who: Reader) -> Response:
    """Show the live board."""
    sources = _sources(request)
    return _renderer(request).page(request, "board.html", who=who, **_board(request, sources))


@router.get("/live")
async def board_live(request: Request, _: Reader) -> StreamingResponse:
    """Stream the board's parts, once a second."""
    sources = _sources(request)

    def render() -> str:
        return _renderer(request).part(request, "board_live.html", **_board(request, sources))

    return sse(_every_second(sources.live, render))


@router.get("/customers")
async def search(
    request: Request, who: Reader, q: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """Find customers. A single hit leads straight to its page: the caller is waiting."""
    sources = _sources(request)
    found = hits(sources, q, 30) if q.strip() else []
    if len(found) == 1:
        return RedirectResponse(f"/customers/{found[0].customer_id}", 303)
    return _renderer(request).page(request, "search.html", who=who, q=q, found=found)


@router.get("/customers/{key}")
async def customer(
    request: Request, who: Reader, key: str, at: Time = None, known_at: Time = None
) -> Response:
    """Show one customer: live, or as of a time."""
    if at or known_at:  # a form sends an empty one for no bound
        return await past_page(request, who, key, at or None, known_at or None)
    shown = _customer(request, key)
    renderer = _renderer(request)
    if shown is None:
        return renderer.page(request, "missing.html", status=404, who=who, key=key)
    found = shown["page"].customer.customer_id
    if found != key:  # named by an identifier, or merged: one address a customer
        return RedirectResponse(f"/customers/{found}", 303)
    return renderer.page(request, "customer.html", who=who, **shown)


@router.get("/customers/{key}/live")
async def customer_live(request: Request, _: Reader, key: str) -> StreamingResponse:
    """Stream the parts of a customer's page, at each change."""
    live = _sources(request).live

    def render() -> str:
        shown = _customer(request, key)
        if shown is None:
            return ""
        return _renderer(request).part(request, "customer_live.html", **shown)

    return sse(_at_each_change(live, key, render))


@router.get("/dead-letters")
async def dead_letters(request: Request, who: Reader) -> Response:
    """Show the newest messages that were refused."""
    sources = _sources(request)
    return _renderer(request).page(
        request,
        "dead_letters.html",
        who=who,
        letters=sources.dead_letters.newest(100),
        kept=sources.refused,
    )


@router.get("/models")
async def models(
    request: Request, who: Reader, model: Annotated[str | None, Query(max_length=100)] = None
) -> Response:
    """Show a model: who serves, how good each candidate is, what changed it."""
    shown = models_page(_sources(request).models, model)
    return _renderer(request).page(request, "models.html", who=who, **shown)


def _board(request: Request, sources: Sources) -> dict[str, Any]:
    return _renderer(request).board(sources)


def _customer(request: Request, key: str) -> dict[str, Any] | None:
    sources = _sources(request)
    live = sources.live
    found = live.get(key)
    seen = live.glance(found.customer_id) if found else None
    if found is None or seen is None:
        return None
    words = _renderer(request).words(request)
    catalogue = request.app.state.catalogue
    known = sources.learnt.then(live.now_ms())
    return {"page": customer_page(found, seen, catalogue, words, known, live.root)}


async def _every_second(live: Live, render: Callable[[], str]) -> AsyncIterator[bytes]:
    begun = time.monotonic()
    shown = ""
    with live.changes.subscribe(capacity=1) as subscription:  # tells when the server stops
        while not subscription.closed and time.monotonic() - begun < LONGEST:
            html = render()
            yield event("parts", html.encode()) if html != shown else b": as before\n\n"
            shown = html
            await asyncio.sleep(STATS_EVERY)


async def _at_each_change(live: Live, key: str, render: Callable[[], str]) -> AsyncIterator[bytes]:
    begun = time.monotonic()
    shown = ""
    while time.monotonic() - begun < LONGEST:
        ids = watched(live, [key])
        with live.changes.subscribe(ids) as subscription:
            while not subscription.closed and watched(live, [key]) == ids:
                html = render()
                yield event("parts", html.encode()) if html != shown else b": as before\n\n"
                shown = html
                await subscription.take(HEARTBEAT)
        if subscription.closed:
            return
