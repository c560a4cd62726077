"""The profile API as the commands ask it: as this machine's own key, in one try."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx

from infra.errors import UserError
from infra.secrets import first_key
from infra.settings import Settings

Json = dict[str, Any]
KEYS_HINT = "c360 keys shows this machine's key; C360_API_KEYS sets another"
HINTS = {
    404: "nobody goes by that name, or did not by then",
    422: "a time reads 2026-11-22, or 2026-11-22T09:30:00+09:00; without a zone it is UTC",
    503: "`c360 status` shows which part is away",
}


class Api:
    """Asks the API. What it refuses, and that it does not answer, is a UserError."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, path: str, **parameters: Any) -> Json:
        """Return the answer of a path."""
        return _said(self._client.get(path, params=parameters or None))

    def text(self, path: str) -> str:
        """Return the answer of a path that is not JSON."""
        answer = self._client.get(path)
        if not answer.is_success:
            _said(answer)
        return answer.text

    def post(self, path: str, body: Json) -> Json:
        """Return the answer to a body."""
        return _said(self._client.post(path, json=body))

    def customer(self, key: str, part: str = "", **parameters: Any) -> Json:
        """Return the customer, or a part of it, that `key` names or that a search finds alone."""
        path = f"/v1/profiles/{quote(key, safe='')}{part}"
        answer = self._client.get(path, params=parameters)
        if answer.is_success or answer.json()["type"] != "urn:c360:not-found":
            return _said(answer)
        return self.get(f"/v1/profiles/{self._only_hit(key)}{part}", **parameters)

    def _only_hit(self, key: str) -> str:
        items = self.get("/v1/search", q=key, limit=6)["items"] if key.strip() else []
        if not items:
            raise UserError(
                f"no customer is known as {key!r}",
                "name one by type:value, such as email:ana@example.com, or by customer id",
            )
        if len(items) > 1:
            hits = "\n".join(f"{one['customer_id']}  {one['name']}" for one in items)
            raise UserError(f"{key!r} finds more than one customer; name one of them", hits)
        return str(items[0]["customer_id"])


@contextmanager
def asking(settings: Settings) -> Iterator[Api]:
    """Ask the profile API of these settings. Raises UserError when it does not answer."""
    base = f"http://{settings.host}:{settings.serve_port}"
    headers = {"Authorization": f"Bearer {first_key(settings.api_keys)}"}
    try:
        with httpx.Client(base_url=base, headers=headers, timeout=10) as client:
            yield Api(client)
    except httpx.HTTPError as error:
        raise UserError(
            f"the profile API does not answer at {base}: {error}", "start it: c360 up"
        ) from error


def _said(answer: httpx.Response) -> Json:
    if answer.is_success:
        return dict(answer.json())
    raise UserError(
        f"the profile API answered {answer.status_code}: {answer.json()['detail']}",
        HINTS.get(answer.status_code, KEYS_HINT),
    )
