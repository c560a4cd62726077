"""A worker killed with SIGKILL and started again: until it has processed its first batch.

Started under its old name while its session lasts. `memory`: state is read whole from
the changelog; `disk_lost`: on disk, and the disk was lost; `disk_kept`: it was not.
"""

import shutil
import time

from infra.settings import Settings
from tests.bench import pipeline
from tests.bench.customers import filled, folded, ready, when
from tests.bench.harness import PYTHON, Bench

NAME = "recovery"
GOALS = {
    "memory.seconds": "≤ 15 s",
    "disk_lost.seconds": "≤ 15 s",
}
CUSTOMERS = 1_000_000
TRAFFIC = 200  # touchpoints that wait for it


def measure(bench: Bench) -> dict:
    """Kill a worker of each kind; return seconds from its start to its first batch."""
    number = bench.fewer(CUSTOMERS, 20_000)
    settings, size = filled(bench, number)
    found: dict = {"customers": number, "bytes_per_customer": round(size)}
    for name, state in (("memory", "memory"), ("disk_lost", "disk"), ("disk_kept", "disk")):
        own = settings.model_copy(update={"state": state})
        if name != "disk_kept":  # the other one's is still there
            with bench.process(own, *PYTHON, "streams", "worker") as running:
                when(ready, own, running)
                running.kill()
        if name == "disk_lost":
            shutil.rmtree(own.home / "worker")
        found[name] = restarted(bench, own)
        bench.say(f"{name}: {found[name]}")
    return found


def restarted(bench: Bench, settings: Settings) -> dict:
    """Start a worker for which something waits, kill it; return how long it took, and its size."""
    pipeline.send(settings, bench.touchpoints(TRAFFIC))
    began = time.monotonic()
    with bench.process(settings, *PYTHON, "streams", "worker") as running:
        recovered = when(ready, settings, running) - began
        cpu = running.cpu()
        seconds = when(folded, settings, running) - began
        memory = running.memory()
        running.kill()
    return {
        "seconds": round(seconds, 2),
        "recovered_seconds": round(recovered, 2),
        "cpu_seconds": round(cpu, 2),
        "memory_mib": round(memory / 2**20),
    }
