"""Reading one customer at the API, one process, while the pipeline does half of what it can."""

import asyncio
import itertools
import random
import time
from urllib.parse import quote

import orjson

from infra.files.log import Message
from tests.bench import load, report, whole
from tests.bench.harness import Bench

NAME = "reads"
GOALS = {"reads_per_second": "≥ 2,000", "at_2000_per_second.p99_ms": "≤ 10"}
RATE = 2_000.0
CONNECTIONS = 64
LEAD_SECONDS = 8.0  # of load before anything is read: the customers must be there


def measure(bench: Bench) -> dict:
    """Read at the goal's rate, then as fast as it goes; the medians of some passes."""
    seconds = bench.fewer(12, 3)
    rate = whole.half_load()
    loaded = LEAD_SECONDS + 2 * seconds + 1
    number = whole.enough(rate, loaded)
    posts = whole.batches(bench, number, happening=True)
    gets = _gets(bench.touchpoints(number)[: int(rate * LEAD_SECONDS * 0.6)])
    passes = []
    for _ in range(bench.runs):
        with whole.running(bench, "reads") as system:
            passes.append(
                load.run(lambda of=system: _measure(of, posts, gets, rate, seconds, loaded))
            )
    return report.medians(passes) | {"each": passes}


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
    for answers in (steady, most):
        answers.require(200, 404)
    found = (steady.statuses[200] + most.statuses[200]) / (len(steady) + len(most))
    return {
        "reads_per_second": len(most) / wall,
        "cpu_us_per_read": spent * 1e6 / len(most),
        "at_2000_per_second": whole.quantiles(steady.seconds),
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
