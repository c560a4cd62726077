"""What a customer costs a worker in memory, and on disk where state is there."""

import psutil

from infra.settings import Settings
from tests.bench.customers import filled, ready, still, when
from tests.bench.harness import PYTHON, Bench, Running

NAME = "memory"
GOALS: dict[str, str] = {}
CUSTOMERS = 1_000_000


def measure(bench: Bench) -> dict:
    """Compare workers that have all customers with one that has none."""
    number = bench.fewer(CUSTOMERS, 20_000)
    empty = bench.settings("nobody")
    bench.topics(empty)
    base = resident(bench, empty)
    settings, size = filled(bench, number)
    found: dict = {
        "customers": number,
        "bytes_of_record": round(size),
        "empty_worker_mib": round(base / 2**20),
    }
    for state in ("memory", "disk"):
        own = settings.model_copy(update={"state": state})
        found[state] = {
            "resident_bytes_per_customer": round((resident(bench, own) - base) / number)
        }
    files = (settings.home / "worker").rglob("data.mdb")
    on_disk = sum(file.stat().st_blocks * 512 for file in files)
    found["disk"]["disk_bytes_per_customer"] = round(on_disk / number)
    return found


def resident(bench: Bench, settings: Settings) -> int:
    """Return a worker's memory of its own, bytes: pages of files that it reads are the system's."""
    with bench.process(settings, *PYTHON, "streams", "worker") as running:
        when(ready, settings, running)
        still(running)
        found = of_its_own(running)
        running.kill()
    return found


def of_its_own(running: Running) -> int:
    """Return a process's memory without files that it has mapped, bytes."""
    memory = psutil.Process(running.pid).memory_info()
    return memory.rss - memory.shared
