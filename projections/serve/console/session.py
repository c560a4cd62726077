"""Who is logged in: a signed cookie that holds a key's name, never the key.

It is signed with what only that key gives, so a key that is revoked ends its
sessions. Who logs out ends his session here, wherever its cookie was copied to.
A form is answered only when it was sent from a page of this console.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from typing import Annotated, Final, NamedTuple

from fastapi import Depends, Request, Response

from projections.serve.keys import ApiKeys
from projections.serve.problems import Problem

COOKIE = "c360_session"
LASTS = 12 * 3600  # seconds: a working day
_ENDED: Final = 10_000  # sessions that are remembered one by one


class LoginNeededError(Exception):
    """Nobody is logged in: send them to the login page, then back."""


class Session(NamedTuple):
    """Who is logged in by which key, and until when (s since 1970)."""

    name: str
    until_s: int
    id: str


class Ended:
    """The sessions that were left before their time, until that has come."""

    def __init__(self) -> None:
        self._until: dict[str, int] = {}
        self._all_until: dict[str, int] = {}  # by key: all sessions that end no later

    def add(self, left: Session, now_s: int) -> None:
        """End a session."""
        self._until[left.id] = left.until_s
        if len(self._until) > _ENDED:
            self._until = {id: until for id, until in self._until.items() if until > now_s}
        if len(self._until) > _ENDED:  # whoever logs out so often logs out for all by that key
            self._all_until[left.name] = now_s + LASTS
            del self._until[left.id]

    def __contains__(self, one: Session) -> bool:
        """Tell whether a session was ended."""
        return one.id in self._until or one.until_s <= self._all_until.get(one.name, 0)


def seal(keys: ApiKeys, name: str, now_s: int) -> str:
    """Return the cookie of a session that begins now."""
    signer = keys.signer(name)
    assert signer is not None
    text = f"{name}|{now_s + LASTS}|{secrets.token_hex(8)}".encode()
    return _text(text) + "." + _text(hmac.digest(signer, text, "sha256"))


def open_seal(keys: ApiKeys, cookie: str, now_s: int) -> Session | None:
    """Return the session that a cookie stands for; None when it does not hold."""
    first, _, second = cookie.partition(".")
    try:
        text, signature = _bytes(first), _bytes(second)
        name, expires, id = text.decode().rsplit("|", 2)
    except ValueError:
        return None
    signer = keys.signer(name)
    if signer is None or not hmac.compare_digest(hmac.digest(signer, text, "sha256"), signature):
        return None
    return Session(name, int(expires), id) if int(expires) > now_s else None


def session_of(request: Request) -> Session | None:
    """Return the session that a request belongs to; None when there is none, or it was ended."""
    state = request.app.state
    cookie = request.cookies.get(COOKIE, "")
    found = open_seal(state.keys, cookie, state.sources.live.now_ms() // 1000)
    return None if found is None or found in state.ended else found


def end(request: Request) -> None:
    """End the session that a request belongs to, if any."""
    found = session_of(request)
    if found is not None:
        request.app.state.ended.add(found, request.app.state.sources.live.now_ms() // 1000)


async def reader(request: Request) -> str:
    """Return who is logged in. Raises LoginNeededError when nobody is."""
    found = session_of(request)
    if found is None:
        raise LoginNeededError
    return found.name


Reader = Annotated[str, Depends(reader)]


def same_site(request: Request) -> None:
    """Refuse a form that another site sent. Raises Problem 403."""
    origin = request.headers.get("origin", "")
    site = request.headers.get("sec-fetch-site", "same-origin")
    scheme, _, host = origin.partition("://")
    if site != "same-origin" or not scheme or host != request.headers.get("host"):
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
    inside = target.startswith("/") and not target.startswith("//") and "\\" not in target
    return target if inside and target.isprintable() else "/"


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
