"""(b) One worker process with all its steps, from raw topic to acknowledged profiles and scores."""

from tests.bench import pipeline
from tests.bench.harness import PYTHON, Bench

NAME = "worker"
GOALS: dict[str, str] = {}  # its goals are ratios
REPEAT = True


def measure(bench: Bench) -> dict:
    """One pass over the events, by a new worker on new topics."""
    settings = bench.settings("worker")
    bench.topics(settings)
    return pipeline.run(bench, settings, (*PYTHON, "streams", "worker"), bench.touchpoints())
