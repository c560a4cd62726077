"""For those who run it: is it alive, is it ready, what does it measure. Open to all.

No customer's data here, ever: these answers need no key.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Request, Response

from projections.serve.problems import ProblemDetails, respond
from projections.serve.sources import Sources

router = APIRouter(tags=["operations"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Tell that the process answers."""
    return {"status": "ok"}


@router.get("/readyz", response_model=dict[str, str], responses={503: {"model": ProblemDetails}})
async def readyz(request: Request) -> Response:
    """Tell whether all the history has been read; 503 until then."""
    sources: Sources = request.app.state.sources
    if not sources.live.ready:
        behind = sources.profiles.lag
        return respond(
            503, "not-ready", f"reading the profiles: {behind} to go", headers={"Retry-After": "1"}
        )
    return Response('{"status":"ready"}', media_type="application/json")


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(request: Request) -> Response:
    """Write the metrics in Prometheus' text format."""
    lines = "\n".join(_lines(request.app.state.sources))
    return Response(lines + "\n", media_type="text/plain; version=0.0.4")


def _lines(sources: Sources) -> Iterator[str]:
    live, board = sources.live, sources.live.board
    now = live.now_ms()
    yield from _one("c360_live_ready", "gauge", "1 when the history has been read", live.ready)
    yield from _one(
        "c360_live_customers", "gauge", "customers, merged ones left out", board.customers
    )
    yield from _one(
        "c360_live_incomplete", "gauge", "customers put together anew", board.incomplete
    )
    yield from _one("c360_live_records_total", "counter", "records read", sources.profiles.read)
    yield from _one("c360_live_unreadable_total", "counter", "records refused", live.unreadable)
    yield from _one("c360_live_lag", "gauge", "records to read", sources.profiles.lag)
    yield from _one("c360_live_subscribers", "gauge", "who listens to changes", len(live.changes))
    yield from _one("c360_open_alerts", "gauge", "open episodes", board.open_alerts)
    yield from _one(
        "c360_dead_letters", "gauge", "messages refused and not sent again", sources.refused
    )
    rate = live.meter.rate(now)
    yield from _one("c360_live_events_per_second", "gauge", "over ten seconds", rate)
    for band, count in sorted(board.bands.items()):
        yield f'c360_customers_by_risk{{band="{band}"}} {count}'
    if fresh := live.meter.freshness(now):
        yield "# HELP c360_freshness_ms from acceptance to readable, the last minute"
        yield "# TYPE c360_freshness_ms summary"
        yield f'c360_freshness_ms{{quantile="0.5"}} {fresh[0]}'
        yield f'c360_freshness_ms{{quantile="0.99"}} {fresh[1]}'
    for step, lag in sources.lag.steps:
        if lag is not None:
            yield f'c360_step_lag{{step="{step}"}} {lag}'


def _one(name: str, kind: str, help_text: str, value: float) -> Iterator[str]:
    yield f"# HELP {name} {help_text}"
    yield f"# TYPE {name} {kind}"
    yield f"{name} {float(value):g}"
