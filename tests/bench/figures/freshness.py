"""From an event's acceptance over HTTP until it is in its customer at the API, at half load."""

import asyncio
import itertools
import time
from collections.abc import Iterable

import orjson

from models.events import Identifier
from models.identity import customer_id_of
from models.topics import EVENTS, PROFILES
from tests.bench import load, report, whole
from tests.bench.harness import Bench, StalledError
from tests.support.kafka_log import read_all

NAME = "freshness"
GOALS = {"readable.p50_ms": "≤ 50", "readable.p99_ms": "≤ 250"}
EVERY = 0.05  # s between two events that are watched
LEAD_SECONDS = 8.0  # of load before: the worker has learnt, and what it uses is loaded


def measure(bench: Bench) -> dict:
    """Watch single new customers' events on their way through the loaded pipeline.

    Returns the medians of some passes.
    """
    seconds = bench.fewer(25, 4)
    rate = whole.half_load()
    loaded = LEAD_SECONDS + seconds + 1
    posts = whole.batches(bench, whole.enough(rate, loaded), happening=True)
    passes = []
    for _ in range(bench.runs):
        with whole.running(bench, "freshness") as system:
            watched = load.run(lambda of=system: _watch(of, posts, rate, loaded))
            passes.append(_found(system, watched, rate))
    return report.medians(passes) | {"each": passes}


def _found(system, watched: list[dict], rate: float) -> dict:
    parts = {"ingest": system.ingest, "worker": system.worker, "serve": system.serve}
    return {
        "readable": whole.quantiles([one["readable"] - one["accepted"] for one in watched]),
        "accepted": whole.quantiles([one["accepted"] - one["sent"] for one in watched]),
        "hops": _hops(system.settings, watched),
        "pipeline_events_per_second": rate,
        "watched": len(watched),
        "cpu_seconds": {name: part.cpu() for name, part in parts.items()},
    }


async def _watch(system, posts: list[bytes], rate: float, loaded: float) -> list[dict]:
    watched: list[dict] = []
    async with (
        whole.loaded(system, posts, rate, loaded),
        asyncio.TaskGroup() as group,
    ):
        await asyncio.sleep(LEAD_SECONDS)
        healthy = itertools.repeat(load.request("GET", "/healthz", {}))
        writers = await load.warm(system.settings.ingest_port, 1, healthy)
        readers: asyncio.Queue = asyncio.Queue()
        for each in await load.warm(system.settings.serve_port, 64, healthy):
            readers.put_nowait(each)
        end = time.time() + loaded - LEAD_SECONDS - 1
        while time.time() < end:
            one = await _send(writers[0], len(watched))
            watched.append(one)
            group.create_task(_read(readers, one))
            await asyncio.sleep(EVERY)
    return watched


async def _send(connection: load.Connection, number: int) -> dict:
    name = f"watched-{number}"
    event = {
        "type": "page_viewed",
        "event_id": name,
        "identifiers": {"user_id": name},
        "path": "/",
    }
    sent = time.time()
    body = orjson.dumps(event)
    answer = await connection.ask(load.request("POST", "/v1/events", whole.WRITING, body))
    _expect(answer)
    receipt = orjson.loads(answer.body)["receipt"]
    return {"name": name, "sent": sent, "accepted": time.time(), "receipt": receipt}


async def _read(readers: asyncio.Queue, one: dict) -> None:
    reader = await readers.get()
    path = f"/v1/profiles/user_id:{one['name']}?wait_for={one['receipt']}&timeout=20"
    _expect(await reader.ask(load.request("GET", path, whole.READING)))
    one["readable"] = time.time()
    readers.put_nowait(reader)


def _expect(answer: load.Answer) -> None:
    if answer.status != 200:
        raise StalledError(f"{answer.status}: {answer.body[:300]!r}")


def _hops(settings, watched: Iterable[dict]) -> dict:
    """Return where the time went: until it was an event, a profile on the log, readable."""
    by_id = {
        customer_id_of(Identifier(type="user_id", value=one["name"])).encode(): one
        for one in watched
    }
    at = {
        topic: {
            record.key: record.timestamp / 1000
            for record in read_all(settings.brokers, settings.topic(topic))
            if record.key in by_id
        }
        for topic in (EVENTS, PROFILES)
    }
    steps = {"validated": [], "folded": [], "served": []}
    for key, one in by_id.items():
        event, profile = at[EVENTS][key], at[PROFILES][key]
        steps["validated"].append(event - one["accepted"])
        steps["folded"].append(profile - event)
        steps["served"].append(one["readable"] - profile)
    return {name: whole.quantiles(spent) for name, spent in steps.items()}
