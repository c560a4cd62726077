"""Who is logged in: a signed cookie that holds a key's name, never the key.

It is signed with what only that key gives, so a key that is revoked ends its
sessions. A form is answered only when it was sent from a page of this console.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response

from projections.serve.keys import ApiKeys
from projections.serve.problems import Problem

COOKIE = "c360_session"
LASTS = 12 * 3600  # seconds: a working day


class LoginNeededError(Exception):
    """Nobody is logged in: send them to the login page, then back."""


def seal(keys: ApiKeys, name: str, now_s: int) -> str:
    """Return the cookie of a session that begins now."""
    signer = keys.signer(name)
    assert signer is not None
    text = f"{name}|{now_s + LASTS}|{secrets.token_hex(8)}".encode()
    return _text(text) + "." + _text(hmac.digest(signer, text, "sha256"))


def open_seal(keys: ApiKeys, cookie: str, now_s: int) -> str | None:
    """Return the name of the key that a cookie stands for; None when it does not hold."""
    first, _, second = cookie.partition(".")
    try:
        text, signature = _bytes(first), _bytes(second)
        name, expires, _ = text.decode().split("|")
    except ValueError:
        return None
    signer = keys.signer(name)
    if signer is None or not hmac.compare_digest(hmac.digest(signer, text, "sha256"), signature):
        return None
    return name if int(expires) > now_s else None


async def reader(request: Request) -> str:
    """Return who is logged in. Raises LoginNeededError when nobody is."""
    now_s = request.app.state.sources.live.now_ms() // 1000
    name = open_seal(request.app.state.keys, request.cookies.get(COOKIE, ""), now_s)
    if name is None:
        raise LoginNeededError
    return name


Reader = Annotated[str, Depends(reader)]


def same_site(request: Request) -> None:
    """Refuse a form that another site sent. Raises Problem 403."""
    origin = request.headers.get("origin", "")
    site = request.headers.get("sec-fetch-site", "same-origin")
    if site != "same-origin" or urlsplit(origin).netloc != request.headers.get("host"):
        raise Problem(403, "forbidden", "this form was not sent from the console")


def keep(response: Response, request: Request, cookie: str) -> None:
    """Give the browser its session."""
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=LASTS,
        httponly=True,
        samesite="lax",  # strict would log out whoever comes by a link in a mail
        secure=request.url.scheme == "https",
    )


def local(target: str) -> str:
    """Return a path of this console to go on to; "/" for anything that leads elsewhere."""
    parts = urlsplit(target)
    inside = target.startswith("/") and not target.startswith("//") and "\\" not in target
    return target if inside and not parts.netloc and target.isprintable() else "/"


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
