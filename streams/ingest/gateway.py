"""From a request's bytes to its answer: split, judge, append, tell."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from http import HTTPStatus

import msgspec
from fastapi import Request, Response

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
from streams.ingest.writes import Place, Record

PATIENCE = 5.0  # seconds that a request waits for Kafka
HELD_BYTES = 64 * 1024 * 1024  # of all requests in memory
PENDING_EVENTS = 100_000  # taken, and not yet acknowledged by Kafka
SLICE = 200  # events judged before other requests get their turn
_encode = msgspec.json.Encoder().encode
Split = Callable[[bytes], Sent]


class Gateway:
    """What all endpoints share: limits, the log and the counters."""

    def __init__(self, settings: Settings, keys: tuple[str, ...]) -> None:
        self._settings = settings
        rate = settings.ingest_rate
        burst = max(rate, settings.max_batch_events)
        self._buckets = {name: TokenBucket(rate, burst) for name in keys}
        self.budget = Budget(HELD_BYTES)
        self.metrics = Metrics()
        topic = settings.topic(topics.TOUCHPOINTS)
        self.log = Log(settings.brokers, topic, PATIENCE, PENDING_EVENTS)

    async def receive(self, request: Request, source: str, split: Split, cap: int) -> Response:
        """Take a request's events in. Raises ProblemError when it cannot be taken as a whole."""
        with self.budget.hold() as hold:
            sent = split(await read(request, cap, hold))
            if len(sent.events) > self._settings.max_batch_events:
                limit = self._settings.max_batch_events
                detail = f"more than {limit} events in one request"
                raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, limit_events=limit)
            self._buckets[source].take(len(sent.events))
            verdicts = await self._append(sent, source)
        answer = _answer_one(verdicts[0]) if sent.single else _answer(verdicts)
        self.metrics.requests[answer.status_code] += 1
        return answer

    def cap(self, several: bool) -> int:
        """Return how many bytes a request may bring, unpacked."""
        return self._settings.max_batch_bytes if several else self._settings.max_event_bytes

    async def _append(self, sent: Sent, source: str) -> list[Verdict]:
        began = time.monotonic()
        now = time.time_ns() // 1_000_000
        wire = Wire(sent.format, now, source, sent.sent_at)
        headers = _headers(wire)
        records: list[Record] = []
        verdicts: list[Verdict] = []
        for index, event in enumerate(sent.events):
            key, verdict = judge(event, wire, self._settings.max_event_bytes)
            records.append(Record(key, event, headers, now))
            verdicts.append(verdict)
            if index % SLICE == SLICE - 1:
                await asyncio.sleep(0)
        places = await self.log.append(records) if records else []
        self.metrics.appended(time.monotonic() - began)
        for index, (verdict, place, record) in enumerate(
            zip(verdicts, places, records, strict=True)
        ):
            self._settle(verdict, place, record)
            if not sent.single:
                verdict.index = index
        return verdicts

    def _settle(self, verdict: Verdict, place: Place, record: Record) -> None:
        name = topics.TOUCHPOINTS.name
        verdict.receipt = f"{name}/{place.partition}:{place.offset}"
        if verdict.event_id is None and verdict.reason is None:
            verdict.event_id = f"{name}-{place.partition}-{place.offset}"
        self.metrics.events[verdict.status, verdict.reason or ""] += 1
        self.metrics.bytes += len(record.value)


def _headers(wire: Wire) -> list[tuple[str, bytes]]:
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
