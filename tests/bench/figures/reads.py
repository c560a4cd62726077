"""Reading one customer at the API, one process, while the pipeline does half of what it can."""

import asyncio
import itertools
import random
import time
from urllib.parse import quote

import orjson

from infra.files.log import Message
from tests.bench import load, whole
from tests.bench.harness import Bench, StalledError

NAME = "reads"
GOALS = {"reads_per_second": "≥ 2,000", "at_2000_per_second.p99_ms": "≤ 10"}
RATE = 2_000.0
CONNECTIONS = 64
LEAD_SECONDS = 8.0  # of load before anything is read: the customers must be there


def measure(bench: Bench) -> dict:
    """Read at the goal's rate, then as fast as it goes."""
    seconds = bench.fewer(12, 3)
    rate = whole.half_load()
    loaded = LEAD_SECONDS + 2 * seconds + 1
    number = whole.enough(rate, loaded)
    posts = whole.batches(bench, number, happening=True)
    gets = _gets(bench.touchpoints(number)[: int(rate * LEAD_SECONDS * 0.6)])
    with whole.running(bench, "reads") as system:
        return load.run(lambda: _measure(system, posts, gets, rate, seconds, loaded))


async def _measure(system, posts, gets, rate: float, seconds: float, loaded: float) -> dict:
    port = system.settings.serve_port
    async with whole.loaded(system, posts, rate, loaded):
        await asyncio.sleep(LEAD_SECONDS)
        own, begun = time.process_time(), time.perf_counter()
        steady = await load.open_loop(port, gets, CONNECTIONS, RATE, seconds)
        share = (time.process_time() - own) * 100 / (time.perf_counter() - begun)
        cpu, begun = system.serve.cpu(), time.perf_counter()
        most = await load.closed_loop(port, gets, CONNECTIONS, seconds)
        wall, spent = time.perf_counter() - begun, system.serve.cpu() - cpu
    missing = [one for one in (*steady, *most) if one.status not in (200, 404)]
    if missing:
        raise StalledError(f"{missing[0].status}: {missing[0].body[:200]!r}")
    found = sum(one.status == 200 for one in (*steady, *most)) / (len(steady) + len(most))
    return {
        "reads_per_second": len(most) / wall,
        "cpu_us_per_read": spent * 1e6 / len(most),
        "at_2000_per_second": whole.quantiles([one.seconds for one in steady]),
        "pipeline_events_per_second": rate,
        "found_percent": found * 100,
        "clients_core_percent": share,
    }


def _gets(touchpoints: list[Message]):
    """Ask for the customers of some touchpoints, at random."""
    names = set()
    for message in touchpoints:
        for one in orjson.loads(message.value)["identifiers"]:
            names.add(f"{one['type']}:{one['value']}")
    requests = [
        load.request("GET", f"/v1/profiles/{quote(name)}", whole.READING) for name in sorted(names)
    ]
    random.Random(360).shuffle(requests)
    return itertools.cycle(requests)
