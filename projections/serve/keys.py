"""Who may read: API keys, compared in constant time. No key, no answer.

Only digests are kept, so a dump of this process' memory does not hold a key for long.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated

from fastapi import Request, Security
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.security.base import SecurityBase

from infra.settings import SettingsError
from projections.serve.problems import Problem


class ApiKeys:
    """The deployment's keys, by name."""

    def __init__(self, text: str) -> None:
        """Read "name=key,name=key". Raises SettingsError when there is none, or a bad one."""
        self._digests: dict[str, bytes] = {}
        for entry in filter(None, (part.strip() for part in text.split(","))):
            name, _, key = entry.partition("=")
            if not name or len(key) < 8:
                raise SettingsError(
                    "C360_API_KEYS: each key reads name=key, and has 8 signs or more"
                )
            if name in self._digests:  # or one of them would be shut out unseen
                raise SettingsError("C360_API_KEYS: each key has a name of its own")
            self._digests[name] = _digest(key)
        if not self._digests:
            raise SettingsError(
                "C360_API_KEYS is not set: nobody could read. Set it to name=key, "
                "or start with `c360 up`, which makes one"
            )

    def name_of(self, key: str) -> str | None:
        """Return the name of a key, None when it is none of ours."""
        digest = _digest(key)
        found = None
        for name, known in self._digests.items():  # all of them: time tells nothing
            if hmac.compare_digest(digest, known):
                found = name
        return found

    def signer(self, name: str) -> bytes | None:
        """Return what signs the sessions of a key: revoking the key ends them."""
        digest = self._digests.get(name)
        return hmac.digest(digest, b"console session", "sha256") if digest else None


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def presented(authorization: str, named: str) -> str:
    """Return the key in a request's Authorization or X-API-Key header, empty when there is none."""
    scheme, _, bearer = authorization.partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else named


class _KeyScheme(SecurityBase):
    """Reads the key of a request. One dependency, where FastAPI's own would be three."""

    def __init__(self) -> None:
        self.model = HTTPBearerModel(description="an API key; or send it as X-API-Key")
        self.scheme_name = "ApiKey"

    async def __call__(self, request: Request) -> str:
        """Return the name of the key that a request came with. Raises Problem 401."""
        keys: ApiKeys = request.app.state.keys
        headers = request.headers
        shown = presented(headers.get("authorization", ""), headers.get("x-api-key", ""))
        name = keys.name_of(shown) if shown else None
        if name is None:
            raise Problem(
                401,
                "unauthorized",
                "send an API key: Authorization: Bearer <key>, or X-API-Key: <key>",
                headers={"WWW-Authenticate": 'Bearer realm="customer360"'},
            )
        return name


Caller = Annotated[str, Security(_KeyScheme())]
