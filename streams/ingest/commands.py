"""Commands: what a person asks of identities, HTTP -> identity-links.

A 202 means that Kafka has the command, in one order with all links. Whether it could be
followed is known once the resolver has come to it: the answer says where that is told.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from functools import partial
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from infra.settings import Settings
from models import topics
from models.links import Link, Unmerge, encode
from models.links.commands import called
from streams.ingest.asking import Kind, unprocessable
from streams.ingest.auth import Admins
from streams.ingest.body import read
from streams.ingest.limits import Budget, TokenBucket
from streams.ingest.log import Log
from streams.ingest.splitting import expect_json

LARGEST: Final = 64 * 1024  # bytes of a request
HELD_BYTES: Final = 4 * 1024 * 1024  # of all requests in memory
A_SECOND: Final = 50  # commands and key: each unmerge reads partitions of the log again
PATIENCE: Final = 5.0  # seconds that a request waits for Kafka
PENDING: Final = 1_000  # commands taken, and not yet acknowledged by Kafka
REMEMBERED: Final = 10_000  # idempotency keys
_LONGEST_KEY: Final = 200
_TOPIC: Final = topics.IDENTITY_LINKS
_encode = msgspec.json.Encoder().encode
_logger = logging.getLogger(__name__)


class Asked(Struct, frozen=True):
    """The answer: the command's id and place, whom it names, and where its outcome is told."""

    id: str
    receipt: str  # "identity-links/0:1234"
    customers: list[str]
    outcome: str  # a path of the profile API


class Commands:
    """Takes commands from those who may give them, each once."""

    def __init__(self, settings: Settings, admins: Admins) -> None:
        self._admins = admins
        self._rules = settings.identity_rules()
        self._buckets = {name: TokenBucket(A_SECOND, 4 * A_SECOND) for name in admins.names}
        self._budget = Budget(HELD_BYTES)
        self._once = Once(REMEMBERED)
        self._log = Log(settings.brokers, settings.topic(_TOPIC), PATIENCE, PENDING)

    def start(self) -> None:
        """Connect, when there is anybody who may command."""
        if self._admins.names:
            self._log.start()

    async def stop(self) -> None:
        """Write what was taken, then disconnect."""
        await self._log.stop()

    async def receive(self, request: Request, kind: Kind) -> Response:
        """Take one command in. Raises ProblemError when it cannot be taken."""
        admin = self._admins.sender(request)
        expect_json(request)
        with self._budget.hold() as hold:
            body = await read(request, LARGEST, hold)
        self._buckets[admin].take(1)
        now = time.time_ns() // 1_000_000
        command = kind.read(body, now, self._rules)
        key = request.headers.get("idempotency-key", "")
        if len(key) > _LONGEST_KEY:
            raise unprocessable(f"longer than {_LONGEST_KEY} signs", "Idempotency-Key")
        if not key:
            asked = await self._append(command, admin, now)
        else:
            command = _named_after(command, admin, key)
            said = hashlib.sha256(kind.path.encode() + body).digest()
            asked = await self._once((admin, key), said, lambda: self._append(command, admin, now))
        return Response(_encode(asked), HTTPStatus.ACCEPTED, media_type="application/json")

    async def _append(self, command: Link | Unmerge, admin: str, now: int) -> Asked:
        if isinstance(command, Link):
            id, customers = command.link_id, [command.left, command.right]
        else:
            id, customers = command.unmerge_id, [command.customer]
        headers = [("source", admin.encode())]
        [place] = await self._log.append([customers[0].encode()], [encode(command)], headers, now)
        receipt = f"{_TOPIC.name}/{place.partition}:{place.offset}"
        _logger.info("%s of %s, by the key %s, is %s", id, " and ".join(customers), admin, receipt)
        sought = [("receipt", receipt), *(("customer", one) for one in customers)]
        return Asked(id, receipt, customers, f"/v1/identity/outcome?{urlencode(sought, safe='/:')}")


class Once:
    """The newest answers by idempotency key: who asks again is told the same, nothing is done."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[tuple[str, str], tuple[bytes, asyncio.Task[Asked]]] = OrderedDict()

    async def __call__(
        self, key: tuple[str, str], said: bytes, do: Callable[[], Coroutine[Any, Any, Asked]]
    ) -> Asked:
        """Return what `do` gave for this key. Raises ProblemError, also when `said` differs."""
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = (said, asyncio.ensure_future(do()))
            # Before whoever waits for it hears of it, and also when nobody does any more.
            kept[1].add_done_callback(partial(self._forget_failed, key))
            if len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        elif kept[0] != said:
            raise unprocessable("this key came with another request", "Idempotency-Key")
        return await asyncio.shield(kept[1])

    def _forget_failed(self, key: tuple[str, str], done: asyncio.Task[Asked]) -> None:
        """Forget what was not acknowledged: asking again may go well."""
        failed = done.cancelled() or done.exception() is not None
        if failed and (kept := self._kept.get(key)) is not None and kept[1] is done:
            del self._kept[key]


def _named_after(command: Link | Unmerge, admin: str, key: str) -> Link | Unmerge:
    """Return the command under an id that follows from its sender's key for it."""
    if isinstance(command, Link):
        id = called("l", "asked", admin, key)
        return replace(command, link_id=id, event_id=id)
    return replace(command, unmerge_id=called("u", "asked", admin, key))
