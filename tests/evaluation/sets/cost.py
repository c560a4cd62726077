"""What a prediction, a decision and learning from each cost, in CPU µs: the benchmark's figure."""

from tests.bench.figures import predict
from tests.bench.harness import Bench
from tests.bench.report import met
from tests.evaluation.measure import Goal

NAME = "cost"
EVENTS, RUNS = 8_000, 1


def measure() -> dict:
    """Measure in-process medians, as `make bench` does."""
    with Bench(events=EVENTS, runs=RUNS, quick=False, results=None) as bench:
        measured = predict.measure(bench)
    goals = [
        Goal(f"cost: {name}", measured.get(name), goal, met(measured.get(name), goal) is True)
        for name, goal in predict.GOALS.items()
    ]
    return {"cpu_us": measured, "goals": [goal.told() for goal in goals]}
