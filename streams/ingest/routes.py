"""The endpoints: Segment's calls, our own events, CloudEvents; commands; health and metrics.

The tables make the routes and their description, so neither can say what the other does not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from streams.ingest import splitting
from streams.ingest.asking import KINDS, Kind
from streams.ingest.auth import Keys
from streams.ingest.commands import Commands
from streams.ingest.gateway import Gateway
from streams.ingest.splitting import Sent

CALLS: Final = ("identify", "track", "page", "screen", "group", "alias")
Handler = Callable[[Request], Awaitable[Response]]


class Endpoint(NamedTuple):
    """Where events are posted. `body` names what the description says of it."""

    path: str
    name: str
    about: str
    body: str
    expect: Callable[[Request], None]  # raises ProblemError on a request of another kind
    split: Callable[[Request, bytes], Sent]
    several: bool = True


def _segment_batch(_: Request, body: bytes) -> Sent:
    return splitting.segment_batch(body)


def _native(_: Request, body: bytes) -> Sent:
    return splitting.native(body)


def _known_call(request: Request) -> None:
    if request.path_params["call"] not in CALLS:
        raise HTTPException(404, "no such endpoint")
    splitting.expect_json(request)


def _segment_call(request: Request, body: bytes) -> Sent:
    return splitting.segment_call(request.path_params["call"], body)


ENDPOINTS: Final = (
    Endpoint(
        "/v1/batch",
        "batch",
        "Take in a batch of Segment calls, as Segment's and RudderStack's libraries send it.",
        "SegmentBatch",
        splitting.expect_json,
        _segment_batch,
    ),
    Endpoint(
        "/v1/events",
        "events",
        "Take in one touchpoint of our own format, an array, or a batch with its `sent_at`.",
        "Touchpoints",
        splitting.expect_json,
        _native,
    ),
    Endpoint(
        "/v1/cloudevents",
        "cloudevents",
        "Take in CloudEvents 1.0: structured, batched, or binary (attributes as ce- headers).",
        "CloudEvents",
        splitting.expect_cloudevents,
        splitting.cloudevents,
    ),
    Endpoint(
        "/v1/{call}",
        "call",
        "Take in one Segment call.",
        "SegmentCall",
        _known_call,
        _segment_call,
        several=False,
    ),
)


async def healthz(request: Request) -> Response:
    """Tell whether events are taken in now."""
    gateway: Gateway = request.app.state.gateway
    if gateway.log.ready:
        return JSONResponse({"status": "ok"})
    return JSONResponse({"status": "Kafka does not answer"}, 503, headers={"Retry-After": "1"})


async def metrics(request: Request) -> Response:
    """Return the counters in Prometheus' text format."""
    gateway: Gateway = request.app.state.gateway
    return PlainTextResponse(gateway.metrics.text(gateway.budget.held))


def routes(keys: Keys, gateway: Gateway, commands: Commands) -> list[Route]:
    """Return all routes, over these keys, this gateway and these commands."""
    return [
        *(
            Route(one.path, _taking(one, keys, gateway), methods=["POST"], name=one.name)
            for one in ENDPOINTS
        ),
        *(
            Route(kind.path, _commanding(kind, gateway, commands), methods=["POST"], name=kind.name)
            for kind in KINDS
        ),
        Route("/healthz", healthz),
        Route("/metrics", metrics),
    ]


def _taking(endpoint: Endpoint, keys: Keys, gateway: Gateway) -> Handler:
    async def take(request: Request) -> Response:
        source = keys.sender(request)
        endpoint.expect(request)
        return await gateway.receive(request, source, endpoint.split, endpoint.several)

    return take


def _commanding(kind: Kind, gateway: Gateway, commands: Commands) -> Handler:
    async def command(request: Request) -> Response:
        answer = await commands.receive(request, kind)
        gateway.metrics.requests[answer.status_code] += 1
        return answer

    return command
