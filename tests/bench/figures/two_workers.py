"""Two workers over one on the same two cores, broker included: what the second one brings.

Everything may run on either core, so the broker's share is told too: what it takes, no
worker has. `bound_by_cores` is the ratio that two cores allow at the CPU time that broker
and workers spent on an event.
"""

import os
import time
from contextlib import ExitStack, closing

import psutil

from infra.group import members, worker_group
from infra.local import ports
from infra.settings import Settings
from tests.bench import pipeline
from tests.bench.harness import PYTHON, Bench, Running, StalledError

NAME = "two_workers"
GOALS = {"two_over_one": "≥ 1.5"}
REPEAT = True
START_SECONDS = 60.0


def measure(bench: Bench) -> dict:
    """One pass with one worker, and one with two."""
    cores = os.sched_getaffinity(0)
    both = set(range(os.cpu_count() or 1))
    _spread(bench, both)
    try:
        one, two = _pass(bench, 1), _pass(bench, 2)
    finally:
        os.sched_setaffinity(0, cores)
        _spread(bench, {bench.here})
    # With one worker a core is the most it can use; with two all cores are shared with the broker.
    cost = two["worker_cpu_us_per_event"] + two["broker_cpu_us_per_event"]
    return {
        "one": one,
        "two": two,
        "two_over_one": two["events_per_second"] / one["events_per_second"],
        "bound_by_cores": len(both) * 1e6 / cost / one["events_per_second"],
    }


def _pass(bench: Bench, count: int) -> dict:
    settings = bench.settings(f"workers-{count}")
    bench.topics(settings)
    messages = bench.touchpoints()
    spots = pipeline.Spots(settings, settings.topic(pipeline.PROFILES))
    with ExitStack() as stack:
        stack.enter_context(closing(spots))
        workers = [stack.enter_context(_worker(bench, settings, n)) for n in range(count)]
        _joined(settings, workers)
        pipeline.send(settings, messages[: pipeline.WARM_UP])
        crew = Crew(workers, psutil.Process(bench.broker.pid))
        spots.settled(crew, pipeline.WARM_UP)
        workers_had, broker_had, begun = crew.cpu(), crew.broker_cpu(), time.time()
        pipeline.send(settings, messages[pipeline.WARM_UP :])
        by_workers = spots.settled(crew, len(messages)) - workers_had
        by_broker = crew.broker_cpu() - broker_had
        took = spots.newest() - begun
    number = len(messages) - pipeline.WARM_UP
    return {
        "events_per_second": number / took,
        "worker_cpu_us_per_event": by_workers * 1e6 / number,
        "broker_cpu_us_per_event": by_broker * 1e6 / number,
        "cores_used_by_workers": by_workers / took,
        "cores_used_by_broker": by_broker / took,
    }


def _worker(bench: Bench, settings: Settings, number: int):
    own = {"instance": f"bench-{number}", "worker_port": ports.free_port()}
    cores = ",".join(map(str, range(os.cpu_count() or 1)))
    named = settings.model_copy(update=own)
    return bench.process(named, *PYTHON, "streams", "worker", core=cores)


def _joined(settings: Settings, workers: list[Running]) -> None:
    """Wait until every worker has its share."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        for worker in workers:
            worker.check()
        there = members(settings, worker_group(settings))
        if len(there) == len(workers) and all(one.places for one in there):
            return
        time.sleep(0.2)
    raise StalledError(f"not all workers joined\n{workers[-1].tail()}")


def _spread(bench: Bench, cores: set[int]) -> None:
    """Let this process and the broker, with all its threads, run on these cores."""
    os.sched_setaffinity(0, cores)
    for thread in psutil.Process(bench.broker.pid).threads():
        os.sched_setaffinity(thread.id, cores)


class Crew:
    """The workers as one that is measured, and the broker."""

    def __init__(self, workers: list[Running], broker: psutil.Process) -> None:
        self._workers = workers
        self._broker = broker

    def cpu(self) -> float:
        """Return the CPU time of all workers so far, s."""
        return sum(worker.cpu() for worker in self._workers)

    def broker_cpu(self) -> float:
        """Return the CPU time of the broker so far, s."""
        times = self._broker.cpu_times()
        return times.user + times.system

    def tail(self) -> str:
        """Return the newest lines of every log."""
        return "\n".join(worker.tail(10) for worker in self._workers)
