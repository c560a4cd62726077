"""The whole way under a steady load: ingest, worker and API as processes, touchpoints over HTTP.

Broker and clients are on the first core; ingest, worker and API run where there is room, as they
would. The load of others than `whole` is half of what that figure was last measured to take in.
"""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple

import httpx
import orjson

from infra.settings import Settings
from tests.bench import load, report
from tests.bench.harness import PYTHON, Bench, Running, StalledError

BATCH = 20  # touchpoints a request
SENDERS = 16  # connections
FALLBACK = 500.0  # touchpoints a second, when the whole was never measured
START_SECONDS = 60.0
WRITE_KEY, API_KEY = "bench-write-key", "bench-api-key"
WRITING = {
    "Authorization": "Basic " + base64.b64encode(f"{WRITE_KEY}:".encode()).decode(),
    "Content-Type": "application/json",
}
READING = {"Authorization": f"Bearer {API_KEY}"}


class Whole(NamedTuple):
    """The running system."""

    settings: Settings
    ingest: Running
    worker: Running
    serve: Running


def half_load() -> float:
    """Return touchpoints a second: half of what the whole took in when it was last measured."""
    measured = report.read(report.RESULTS).get("whole", {}).get("measured", {})
    return measured.get("events_per_second", 2 * FALLBACK) / 2


@contextmanager
def running(bench: Bench, name: str) -> Iterator[Whole]:
    """Start everything on new topics, and stop it at the end."""
    settings = bench.settings(name, ingest_rate=1_000_000)
    bench.topics(settings)
    cores = f"{bench.here},{bench.there}"
    with (
        bench.process(settings, *PYTHON, "streams.ingest", core=cores) as ingest,
        bench.process(settings, *PYTHON, "streams", "worker", core=cores) as worker,
        bench.process(settings, *PYTHON, "projections.serve", core=cores) as serve,
    ):
        answers(ingest, settings.ingest_port, "/healthz")
        answers(worker, settings.worker_port, "/healthz")
        answers(serve, settings.serve_port, "/readyz")
        yield Whole(settings, ingest, worker, serve)


def answers(part: Running, port: int, path: str) -> None:
    """Wait until a part answers 200. Raises StalledError."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        part.check()
        try:
            if httpx.get(f"http://127.0.0.1:{port}{path}").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise StalledError(f"{path} is not ready\n{part.tail()}")


def enough(rate: float, seconds: float) -> int:
    """Return how many touchpoints `loaded` may take, its connections' first ones included."""
    return int(rate * (seconds + 1)) + (SENDERS + 1) * BATCH


def batches(
    bench: Bench, number: int, size: int = BATCH, *, happening: bool = False
) -> list[bytes]:
    """Return requests with `number` touchpoints, of a past or `happening` as they are sent."""
    values = [message.value for message in bench.touchpoints(number)]
    if happening:
        values = [_timeless(value) for value in values]
    return [
        load.request("POST", "/v1/events", WRITING, b"[" + b",".join(some) + b"]")
        for some in (values[at : at + size] for at in range(0, len(values), size))
    ]


def _timeless(value: bytes) -> bytes:
    """Leave out when it occurred: then it is when it is received."""
    event = orjson.loads(value)
    del event["occurred_at"]
    return orjson.dumps(event)


@asynccontextmanager
async def loaded(
    whole: Whole, requests: list[bytes], rate: float, seconds: float
) -> AsyncIterator[None]:
    """Send `rate` touchpoints a second meanwhile, each request once.

    Raises StalledError when some were refused.
    """
    sending = asyncio.create_task(
        load.open_loop(whole.settings.ingest_port, iter(requests), SENDERS, rate / BATCH, seconds)
    )
    yield
    (await sending).require(200)


def quantiles(answers: Iterable[float]) -> dict[str, float]:
    """Return the median and the 99th percentile of seconds, in ms."""
    ordered = sorted(answers)
    return {
        f"p{share}_ms": round(ordered[min(len(ordered) * share // 100, len(ordered) - 1)] * 1e3, 2)
        for share in (50, 99)
    }
