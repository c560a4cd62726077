"""The console's door: logging in and out, and the language to be spoken behind it."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from projections.serve.console import session
from projections.serve.console.render import Renderer
from projections.serve.console.words import LANGUAGES
from projections.serve.keys import ApiKeys

router = APIRouter(include_in_schema=False)


@router.get("/login")
async def login(request: Request, next: str = "/") -> Response:
    """Ask for an API key."""
    return _asking(request, next)


@router.post("/login")
async def log_in(
    request: Request,
    key: Annotated[str, Form(max_length=500)] = "",
    next: Annotated[str, Form(max_length=2_000)] = "/",
) -> Response:
    """Begin a session."""
    session.same_site(request)
    keys: ApiKeys = request.app.state.keys
    name = keys.name_of(key.strip())
    if name is None:
        return _asking(request, next, status=401)
    answer = RedirectResponse(session.local(next), 303)
    session.keep(answer, request, session.seal(keys, name, int(time.time())))
    return answer


@router.post("/logout")
async def log_out(request: Request) -> Response:
    """End the session, and take its cookie back."""
    session.same_site(request)
    session.end(request)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(session.COOKIE)
    return answer


@router.get("/language/{language}")
async def set_language(request: Request, language: str, next: str = "/") -> Response:
    """Speak another language from now on."""
    answer = RedirectResponse(session.local(next), 303)
    if language in LANGUAGES:
        year = 365 * 86_400
        answer.set_cookie("c360_language", language, max_age=year, samesite="lax", httponly=True)
    return answer


def _asking(request: Request, next: str, status: int = 200) -> Response:
    renderer: Renderer = request.app.state.renderer
    shown = {"next": session.local(next), "failed": status != 200}
    return renderer.page(request, "login.html", status, **shown)
