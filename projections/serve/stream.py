"""Changes as Server-Sent Events, as they become visible.

A change tells who changed, not what: a reader gets the newest state, so what a slow
reader missed in between is nothing lost. `reset` says that more may have been missed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import orjson
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from models.naming import derive
from projections.live import Live
from projections.live_changes import Change, Subscription
from projections.live_learnt import Learnt
from projections.serve.keys import Caller
from projections.serve.problems import Problem, ProblemDetails
from projections.serve.sources import Sources
from projections.serve.trait_views import whole
from projections.serve.written import Json, instant

HEARTBEAT = 15.0  # seconds: shorter than the idle time-outs of proxies
MOST = 100  # customers that one stream can be asked for

router = APIRouter(
    prefix="/v1",
    tags=["changes"],
    responses={401: {"model": ProblemDetails}, 422: {"model": ProblemDetails}},
)


@router.get(
    "/changes",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def changes(
    request: Request,
    _: Caller,
    customer: Annotated[
        list[str] | None,
        Query(description="customer ids or type:value; none: all customers"),
    ] = None,
    include: Annotated[
        str, Query(pattern="^(profile)?$", description='"profile": send the whole customer too')
    ] = "",
    last_event_id: Annotated[
        str, Header(description="the id of the last event heard: what followed is sent first")
    ] = "",
) -> StreamingResponse:
    """Stream events `change`, `erased` and `reset`; a comment every 15 seconds."""
    sources: Sources = request.app.state.sources
    live = sources.live
    keys = customer or []
    unknown = [key for key in keys if derive(key, live.rules) is None]
    if unknown or len(keys) > MOST:
        raise Problem(422, "invalid-request", f"at most {MOST} keys, each an id or type:value")
    return sse(
        _changes(live, keys, last_event_id, sources.learnt if include == "profile" else None)
    )


def sse(events: AsyncIterator[bytes]) -> StreamingResponse:
    """Send Server-Sent Events that no proxy may keep or rewrite."""
    return StreamingResponse(
        events,
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def event(name: str, data: bytes, event_id: str = "") -> bytes:
    """Write one event."""
    lines = b"".join(b"data: " + line + b"\n" for line in data.split(b"\n"))
    identity = f"id: {event_id}\n".encode() if event_id else b""
    return b"event: " + name.encode() + b"\n" + identity + lines + b"\n"


def watched(live: Live, keys: list[str]) -> set[str]:
    """Return every customer id that has to do with `keys` as things stand."""
    ids: set[str] = set()
    for key in keys:
        start = derive(key, live.rules)
        ids |= {start, *live.chain(start)} if start else set()
        ids |= {found} if (found := live.locate(key)) else set()
    return ids


async def _changes(
    live: Live, keys: list[str], after: str, learnt: Learnt | None
) -> AsyncIterator[bytes]:
    yield b"retry: 1000\n: customer360\n\n"
    while True:
        ids = watched(live, keys)
        with live.changes.subscribe(ids, after) as subscription:
            async for change in _heard(subscription):
                if change is None:
                    yield b": still here\n\n"
                    continue
                if subscription.gap:
                    subscription.gap = False
                    yield event("reset", b"{}", live.changes.identify(change))
                yield _tell(live, change, learnt)
                after = live.changes.identify(change)
                if keys and watched(live, keys) != ids:
                    break  # merged: listen to the one that it was merged into, too
            else:
                return


async def _heard(subscription: Subscription) -> AsyncIterator[Change | None]:
    """Yield changes as they come, None when none came for a while; end when closed."""
    while not subscription.closed:
        taken = await subscription.take(HEARTBEAT)
        for change in taken:
            yield change
        if not taken:
            yield None


def _tell(live: Live, change: Change, learnt: Learnt | None) -> bytes:
    event_id = live.changes.identify(change)
    seen = live.glance(change.customer_id)
    if seen is None:
        data = orjson.dumps({"customer_id": change.customer_id})
        return event("erased", data, event_id)
    body: Json = {
        "customer_id": change.customer_id,
        "version": seen.version,
        "updated_at": instant(seen.received_ms or None),
        "merged_into": seen.merged_into,
        "complete": seen.regroup is None,
    }
    if learnt is not None and (customer := live.customer(change.customer_id)):
        body["profile"] = whole(customer, learnt.now())
    return event("change", orjson.dumps(body), event_id)
