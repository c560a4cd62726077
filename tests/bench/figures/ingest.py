"""Ingest over HTTP, one process: batches of 100 and single touchpoints, acknowledged by Kafka."""

import itertools
import time

from tests.bench import load, whole
from tests.bench.harness import PYTHON, Bench

NAME = "ingest"
GOALS = {"events_per_second": "≥ 15,000"}
REPEAT = True
BATCH = 100
CONNECTIONS, SINGLE_CONNECTIONS = 12, 64
WARM_SECONDS = 2.0


def measure(bench: Bench) -> dict:
    """Keep so many requests in flight for some seconds, batches first, then single touchpoints."""
    settings = bench.settings("ingest", ingest_rate=1_000_000)
    bench.topics(settings)
    seconds = bench.fewer(10, 2)
    with bench.process(settings, *PYTHON, "streams.ingest") as ingest:
        whole.answers(ingest, settings.ingest_port, "/healthz")
        found = {}
        for name, size, connections in (
            ("", BATCH, CONNECTIONS),
            ("single_", 1, SINGLE_CONNECTIONS),
        ):
            requests = itertools.cycle(whole.batches(bench, bench.fewer(8_000, 2_000), size))
            _send(settings.ingest_port, requests, connections, WARM_SECONDS)
            cpu, own, begun = ingest.cpu(), time.process_time(), time.perf_counter()
            took = _send(settings.ingest_port, requests, connections, seconds)
            wall = time.perf_counter() - begun
            events = (len(took) + connections) * size  # each connection's first is not timed
            found |= {
                f"{name}events_per_second": events / wall,
                f"{name}cpu_us_per_event": (ingest.cpu() - cpu) * 1e6 / events,
                f"{name}client_core_percent": (time.process_time() - own) * 100 / wall,
                f"{name}request": whole.quantiles(took.seconds),
            }
    return found


def _send(port, requests, connections: int, seconds: float) -> load.Answers:
    """Send so many at once. Raises StalledError when one was refused."""
    answers = load.run(lambda: load.closed_loop(port, requests, connections, seconds))
    answers.require(200)
    return answers
