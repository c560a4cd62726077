"""Who sends: write keys, given as Basic user name (Segment's way) or Bearer token.

Nobody is let in without a key, and every key is compared in constant time.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode
from http import HTTPStatus

from starlette.requests import Request

from streams.ingest.problems import ProblemError

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="write key", Bearer'}


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

    def sender(self, request: Request) -> str:
        """Return the name of the key that a request carries. Raises ProblemError 401."""
        given = _key_of(request.headers.get("authorization", ""))
        name = self.name_of(given) if given else None
        if name is None:
            detail = "no such write key" if given else "a write key is needed"
            raise ProblemError(HTTPStatus.UNAUTHORIZED, detail, headers=_CHALLENGE)
        return name


def _key_of(authorization: str) -> str:
    """Return the key in an Authorization header, empty when it holds none."""
    scheme, _, credentials = authorization.partition(" ")
    match scheme.lower():
        case "bearer":
            return credentials.strip()
        case "basic":
            try:
                return b64decode(credentials, validate=True).decode().partition(":")[0]
            except (binascii.Error, UnicodeDecodeError):
                return ""
        case _:
            return ""
