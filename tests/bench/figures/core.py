"""(a) The core in one process, no Kafka: what no arrangement around it can beat."""

from tests.bench import core
from tests.bench.harness import Bench

NAME = "core"
GOALS = {
    "events_per_second": "≥ 25,000/s",
    "cpu_us_per_event": "≤ 40 µs",
}
REPEAT = True


def measure(bench: Bench) -> dict:
    """One pass over the events, on the last core."""
    with bench.pinned(bench.there):
        return core.run(bench.touchpoints(), bench.judge())
