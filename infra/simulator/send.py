"""Send events over HTTP, as any client would: in batches, patient when told to wait.

An event is sent again until the server says that it has it, so what `send`
returns from is on the log; a repeat carries the same id and counts once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Self

import httpx
import orjson

from infra.errors import UserError
from infra.simulator.scene import Json

FIRST_WAIT = 0.2  # s
LONGEST_WAIT = 10.0
_BUSY = {408, 429, 500, 502, 503, 504}


class Sender:
    """A client of ingest. `sent` counts what was taken, `verdicts` the answers."""

    def __init__(self, url: str, write_key: str) -> None:
        self.sent = 0
        self.waits = 0
        self.verdicts: Counter[str] = Counter()
        self._url = url
        self._http = httpx.AsyncClient(
            base_url=url,
            auth=(write_key, ""),
            timeout=30,
            trust_env=False,  # a proxy of the environment has no business on loopback
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def send(self, events: Sequence[Json], patience: float = 120.0) -> None:
        """Send a batch. Raises UserError when nobody takes it for `patience` seconds."""
        body = orjson.dumps(events)
        wait = FIRST_WAIT
        waited = 0.0
        while True:
            answer = await self._post(body)
            if isinstance(answer, httpx.Response) and answer.status_code not in _BUSY:
                break
            if waited >= patience:
                raise UserError(
                    f"{self._url} takes no events ({_said(answer)})",
                    "See `c360 status`; the logs of ingest and kafka are under C360_HOME/logs.",
                )
            pause = max(wait, _retry_after(answer))
            self.waits += 1
            waited += pause
            wait = min(wait * 2, LONGEST_WAIT)
            await asyncio.sleep(pause)
        if answer.status_code in (401, 403):
            raise UserError(
                f"{self._url} does not know the write key", "Give the right one in C360_WRITE_KEYS."
            )
        if answer.is_error and answer.status_code not in (400, 422):  # those: all were bad
            raise UserError(f"{self._url} refuses the events ({_said(answer)})")
        self.sent += len(events)
        self.verdicts[str(answer.status_code)] += 1

    async def _post(self, body: bytes) -> httpx.Response | httpx.TransportError:
        try:
            return await self._http.post(
                "/v1/events", content=body, headers={"content-type": "application/json"}
            )
        except httpx.TransportError as error:
            return error


def _retry_after(answer: httpx.Response | httpx.TransportError) -> float:
    if isinstance(answer, httpx.TransportError):
        return 0.0
    text = answer.headers.get("retry-after", "")
    return min(float(text), LONGEST_WAIT) if text.isdecimal() else 0.0


def _said(answer: httpx.Response | httpx.TransportError) -> str:
    if isinstance(answer, httpx.TransportError):
        return type(answer).__name__
    return f"HTTP {answer.status_code}: {answer.text[:200]}"
