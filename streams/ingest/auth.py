"""Who sends and who commands: keys, given as Basic user name (Segment's way) or Bearer token.

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
_ADMIN_CHALLENGE = {"WWW-Authenticate": 'Basic realm="admin key", Bearer'}
_ADMIN = "C360_ADMIN_KEYS"
_SHORTEST = 8


class KeysError(ValueError):
    """The keys setting cannot be used."""


class Keys:
    """The keys of one setting by name, out of `name=key,name=key`."""

    def __init__(self, setting: str, variable: str = "C360_WRITE_KEYS") -> None:
        pairs = [pair.partition("=") for pair in setting.split(",") if pair.strip()]
        self._keys = {name.strip(): key.strip().encode() for name, _, key in pairs}
        if not self._keys or not all(self._keys) or not all(self._keys.values()):
            raise KeysError(f"{variable} must hold name=key, several separated by commas")
        if len(self._keys) < len(pairs):  # or one of them would be shut out unseen
            raise KeysError(f"{variable}: each key has a name of its own")
        self.names: tuple[str, ...] = tuple(self._keys)
        self.shortest = min(map(len, self._keys.values()))

    def name_of(self, key: str) -> str | None:
        """Return the name of a key, or None. Takes as long for any key of that length."""
        given = key.encode()
        found = None
        for name, known in self._keys.items():
            if hmac.compare_digest(given, known):
                found = name
        return found

    def shares(self, other: Keys) -> str | None:
        """Return the name of a key that is among the `other` ones too, or None."""
        both = set(self._keys.values()) & set(other._keys.values())
        return next((name for name, key in self._keys.items() if key in both), None)

    def sender(self, request: Request) -> str:
        """Return the name of the key that a request carries. Raises ProblemError 401."""
        given = _key_of(request.headers.get("authorization", ""))
        name = self.name_of(given) if given else None
        if name is None:
            detail = "no such write key" if given else "a write key is needed"
            raise ProblemError(HTTPStatus.UNAUTHORIZED, detail, headers=_CHALLENGE)
        return name


class Admins:
    """Who may say which customers are one: admin keys alone. Without any, nobody may.

    Write keys are in web pages and read keys at every desk: to them it is forbidden.
    """

    def __init__(self, admin: str, others: tuple[Keys, ...]) -> None:
        """Read `C360_ADMIN_KEYS`. Raises KeysError when it is wrong, or shares a key."""
        self._others = others
        self._keys = Keys(admin, _ADMIN) if admin.strip() else None
        self.names: tuple[str, ...] = self._keys.names if self._keys else ()
        if self._keys is None:
            return
        if self._keys.shortest < _SHORTEST:
            raise KeysError(f"{_ADMIN}: each key has {_SHORTEST} signs or more")
        for other in others:
            if name := self._keys.shares(other):
                raise KeysError(f"{_ADMIN}: the key {name} opens other doors too; make up another")

    def sender(self, request: Request) -> str:
        """Return the name of the admin key that a request carries. Raises ProblemError 401, 403."""
        given = _key_of(request.headers.get("authorization", ""))
        if given and self._keys and (name := self._keys.name_of(given)):
            return name
        if given and any(keys.name_of(given) for keys in self._others):
            raise ProblemError(HTTPStatus.FORBIDDEN, "this needs an admin key: C360_ADMIN_KEYS")
        detail = "no such admin key" if given else "an admin key is needed"
        raise ProblemError(HTTPStatus.UNAUTHORIZED, detail, headers=_ADMIN_CHALLENGE)


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
