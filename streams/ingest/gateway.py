"""From a request's bytes to its answer: split, judge, append, tell."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from http import HTTPStatus

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from infra.settings import Settings
from models import topics
from models.events import Wire
from streams.ingest.body import read
from streams.ingest.limits import Budget, TokenBucket
from streams.ingest.log import Log
from streams.ingest.metrics import Metrics
from streams.ingest.problems import ProblemError
from streams.ingest.splitting import Sent
from streams.ingest.verdicts import Verdict, judge
from streams.ingest.writes import Place
from streams.record_batch import Headers

PATIENCE = 5.0  # seconds that a request waits for Kafka
HELD_BYTES = 64 * 1024 * 1024  # of all requests in memory
PENDING_EVENTS = 100_000  # taken, and not yet acknowledged by Kafka
SLICE = 200  # events judged before other requests get their turn
_TOPIC = topics.TOUCHPOINTS.name
_encode = msgspec.json.Encoder().encode
Split = Callable[[Request, bytes], Sent]


class Gateway:
    """What all endpoints share: limits, the log and the counters."""

    def __init__(self, settings: Settings, keys: tuple[str, ...]) -> None:
        self._settings = settings
        self._rules = settings.identity_rules()
        rate = settings.ingest_rate
        burst = max(rate, settings.max_batch_events)
        self._buckets = {name: TokenBucket(rate, burst) for name in keys}
        self.budget = Budget(HELD_BYTES)
        self.metrics = Metrics()
        topic = settings.topic(topics.TOUCHPOINTS)
        self.log = Log(settings.brokers, topic, PATIENCE, PENDING_EVENTS)

    async def receive(self, request: Request, source: str, split: Split, several: bool) -> Response:
        """Take a request's events in. Raises ProblemError when it cannot be taken as a whole."""
        cap = self._settings.max_batch_bytes if several else self._settings.max_event_bytes
        with self.budget.hold() as hold:
            sent = split(request, await read(request, cap, hold))
            if len(sent.events) > self._settings.max_batch_events:
                limit = self._settings.max_batch_events
                detail = f"more than {limit} events in one request"
                raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, limit_events=limit)
            self._buckets[source].take(len(sent.events))
            verdicts = await self._append(sent, source)
        answer = _answer_one(verdicts[0]) if sent.single else _answer(verdicts)
        self.metrics.requests[answer.status_code] += 1
        return answer

    async def _append(self, sent: Sent, source: str) -> list[Verdict]:
        began = time.monotonic()
        now = time.time_ns() // 1_000_000
        wire = Wire(sent.format, now, source, sent.sent_at)
        keys: list[bytes | None] = []
        verdicts: list[Verdict] = []
        for index, event in enumerate(sent.events):
            key, verdict = judge(event, wire, self._settings.max_event_bytes, self._rules)
            keys.append(key)
            verdicts.append(verdict)
            if index % SLICE == SLICE - 1:
                await asyncio.sleep(0)
        if not verdicts:
            return verdicts
        places = await self.log.append(keys, sent.events, _headers(wire), now)
        self.metrics.appended(time.monotonic() - began)
        self.metrics.bytes += sum(map(len, sent.events))
        for index, (verdict, place) in enumerate(zip(verdicts, places, strict=True)):
            _settle(verdict, place)
            self.metrics.events[verdict.status, verdict.reason or ""] += 1
            if not sent.single:
                verdict.index = index
        return verdicts


def _settle(verdict: Verdict, place: Place) -> None:
    partition, offset = place
    verdict.receipt = f"{_TOPIC}/{partition}:{offset}"
    if verdict.event_id is None and verdict.reason is None:
        verdict.event_id = f"{_TOPIC}-{partition}-{offset}"


def _headers(wire: Wire) -> Headers:
    headers = [
        ("format", wire.format.encode()),
        ("received_at", str(wire.received_ms).encode()),
        ("source", wire.source.encode()),
    ]
    if wire.sent_at is not None:
        headers.append(("sent_at", wire.sent_at.encode("ascii", "replace")))
    return headers


def _answer(verdicts: list[Verdict]) -> Response:
    rejected = sum(verdict.status == "rejected" for verdict in verdicts)
    body = {
        "accepted": len(verdicts) - rejected,
        "rejected": rejected,
        "verdicts": verdicts,
    }
    return Response(_encode(body), media_type="application/json")


def _answer_one(verdict: Verdict) -> Response:
    if verdict.status == "accepted":
        return Response(_encode(verdict), media_type="application/json")
    raise ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        verdict.detail or "",
        reason=verdict.reason,
        where=verdict.where,
        receipt=verdict.receipt,
    )
