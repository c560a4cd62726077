"""The endpoints: Segment's calls, our own events, CloudEvents; health and metrics."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from streams.ingest import splitting
from streams.ingest.auth import Sender
from streams.ingest.gateway import Gateway
from streams.ingest.openapi import describe

router = APIRouter()
Call = Literal["identify", "track", "page", "screen", "group", "alias"]


def _gateway(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


Shared = Annotated[Gateway, Depends(_gateway)]


@router.post("/v1/batch", **describe("SegmentBatch", several=True))
async def batch(request: Request, source: Sender, gateway: Shared) -> Response:
    """Take in a batch of Segment calls, as Segment's and RudderStack's libraries send it."""
    splitting.expect_json(request)
    return await gateway.receive(request, source, splitting.segment_batch, gateway.cap(True))


@router.post("/v1/events", **describe("Touchpoints", several=True))
async def events(request: Request, source: Sender, gateway: Shared) -> Response:
    """Take in one touchpoint of our own format, or an array of them."""
    splitting.expect_json(request)
    return await gateway.receive(request, source, splitting.native, gateway.cap(True))


@router.post("/v1/cloudevents", **describe("CloudEvents", several=True))
async def cloudevents(request: Request, source: Sender, gateway: Shared) -> Response:
    """Take in CloudEvents 1.0: structured, batched, or binary (attributes as ce- headers)."""
    split = partial(splitting.cloudevents, request)
    return await gateway.receive(request, source, split, gateway.cap(True))


@router.post("/v1/{call}", **describe("SegmentCall"))
async def call(call: Call, request: Request, source: Sender, gateway: Shared) -> Response:
    """Take in one Segment call."""
    splitting.expect_json(request)
    split = partial(splitting.segment_call, call)
    return await gateway.receive(request, source, split, gateway.cap(False))


@router.get("/healthz", responses={503: {"description": "Kafka is away or slow"}})
async def healthz(gateway: Shared) -> JSONResponse:
    """Tell whether events are taken in now."""
    if gateway.log.ready:
        return JSONResponse({"status": "ok"})
    return JSONResponse({"status": "Kafka does not answer"}, 503, headers={"Retry-After": "1"})


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(gateway: Shared) -> PlainTextResponse:
    """Return the counters in Prometheus' text format."""
    return PlainTextResponse(gateway.metrics.text(gateway.budget.held))
