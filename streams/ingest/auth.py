"""Who sends: write keys, given as Basic user name (Segment's way) or Bearer token.

Nobody is let in without a key, and every key is compared in constant time.
"""

from __future__ import annotations

import hmac
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBasic, HTTPBasicCredentials
from fastapi.security import HTTPBearer as Bearer

from streams.ingest.problems import ProblemError

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="write key", Bearer'}
_basic = HTTPBasic(auto_error=False, description="the write key as user name, any password")
_bearer = Bearer(auto_error=False, description="the write key")


class KeysError(ValueError):
    """The keys setting cannot be used."""


class Keys:
    """The write keys by name, out of `name=key,name=key`."""

    def __init__(self, setting: str) -> None:
        pairs = [pair.partition("=") for pair in setting.split(",") if pair.strip()]
        self._keys = {name.strip(): key.strip().encode() for name, _, key in pairs}
        if not self._keys or not all(self._keys) or not all(self._keys.values()):
            raise KeysError("C360_WRITE_KEYS must hold name=key, several separated by commas")
        self.names: tuple[str, ...] = tuple(self._keys)

    def name_of(self, key: str) -> str | None:
        """Return the name of a key, or None. Takes as long for any key of that length."""
        given = key.encode()
        found = None
        for name, known in self._keys.items():
            if hmac.compare_digest(given, known):
                found = name
        return found


def sender(
    request: Request,
    basic: Annotated[HTTPBasicCredentials | None, Depends(_basic)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> str:
    """Return the name of the key that the request carries. Raises ProblemError 401."""
    keys: Keys = request.app.state.keys
    given = basic.username if basic else bearer.credentials if bearer else None
    name = keys.name_of(given) if given else None
    if name is None:
        detail = "a write key is needed" if given is None else "no such write key"
        raise ProblemError(HTTPStatus.UNAUTHORIZED, detail, headers=_CHALLENGE)
    return name


Sender = Annotated[str, Depends(sender)]
