"""Ten million customers on disk: what a worker is with them, how it starts, what a key costs.

`key_us` is of the stores alone, in batches of random keys. `cold`: nothing of the files is in
the system's memory; `warm`: the same keys a moment later.
"""

import asyncio
import os
import random
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from models.placing import java_hash
from models.topics import PROFILES
from streams.lane.disk import DiskStore, topic_ids
from streams.lane.store import Stamp
from tests.bench.customers import filled, name_of, ready, still, when
from tests.bench.figures.memory import of_its_own
from tests.bench.figures.recovery import restarted
from tests.bench.harness import PYTHON, Bench

NAME = "disk"
GOALS: dict[str, str] = {}
CUSTOMERS = 10_000_000
LIMIT = 3_000  # s
ASKED = True  # a quarter of an hour and 30 GB of disk: measured when it is named, and only then
BATCH = 1_000
BATCHES = 20


def measure(bench: Bench) -> dict:
    """Fill a changelog, read it onto the disk, start again from there, then use the stores."""
    number = bench.fewer(CUSTOMERS, 20_000)
    settings, size = filled(bench, number)
    own = settings.model_copy(update={"state": "disk"})
    found: dict = {"customers": number, "bytes_of_record": round(size)}
    began = time.monotonic()
    with bench.process(own, *PYTHON, "streams", "worker") as running:
        seconds = when(ready, own, running, LIMIT) - began
        found["from_nothing"] = {
            "seconds": round(seconds, 2),
            "cpu_us_per_customer": round(running.cpu() * 1e6 / number, 2),
        }
        running.kill()
    bench.say(f"from nothing: {found['from_nothing']}")
    found["kept"] = restarted(bench, own)
    with bench.process(own, *PYTHON, "streams", "worker") as running:
        when(ready, own, running)
        found["resident_mib"] = {"ready": round(of_its_own(running) / 2**20)}
        still(running)  # the alarms of all customers are set by then
        found["resident_mib"]["settled"] = round(of_its_own(running) / 2**20)
        running.kill()
    stores = own.home / "worker" / own.instance / "state" / own.topic(PROFILES)
    files = list(stores.rglob("data.mdb"))
    found["disk_gib"] = round(sum(file.stat().st_blocks * 512 for file in files) / 2**30, 2)
    found["disk_bytes_per_customer"] = round(found["disk_gib"] * 2**30 / number)
    [id] = topic_ids(own.brokers, [own.topic(PROFILES)]).values()
    found["key_us"] = asyncio.run(_used(stores, id, own.partitions, number))
    return found


async def _used(folder: Path, id: str, partitions: int, number: int) -> dict:
    """Read and write random keys in batches; return µs a key, all partitions in turn."""
    chance = random.Random(360)
    keys: dict[int, list[bytes]] = defaultdict(list)
    for _ in range(BATCH * BATCHES):
        key = name_of(chance.randrange(number))
        keys[java_hash(key) % partitions].append(key)
    spent: dict[str, Spent] = defaultdict(Spent)
    for partition, some in keys.items():
        _forget((folder / str(partition)).iterdir())
        batches = [some[at : at + BATCH] for at in range(0, len(some), BATCH)]
        with closing(DiskStore(folder / str(partition), id)) as store:
            for name in ("read_cold", "read_warm"):
                for batch in batches:
                    with spent[name].of(len(batch)):
                        await store.ahead(batch)
            for batch in batches:
                values = {key: store[key] + b" " for key in batch}
                stamp = Stamp(store.stamp.position, store.stamp.epoch)
                with spent["write"].of(len(batch)):
                    store.apply(values, stamp)
    return {name: one.each() for name, one in spent.items()}


def _forget(files: Iterable[Path]) -> None:
    """Put what the system has in memory of these files out of it."""
    for path in files:
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


class Spent:
    """Wall and CPU time over a number of keys."""

    def __init__(self) -> None:
        self._keys = 0
        self._wall = self._cpu = 0.0

    def of(self, keys: int) -> "Spent":
        """Count what the block spends, on so many keys."""
        self._keys += keys
        return self

    def __enter__(self) -> None:
        self._wall -= time.perf_counter()
        self._cpu -= time.process_time()

    def __exit__(self, *_: object) -> None:
        self._wall += time.perf_counter()
        self._cpu += time.process_time()

    def each(self) -> dict[str, float]:
        """Return µs a key."""
        scale = 1e6 / self._keys
        return {"wall": round(self._wall * scale, 2), "cpu": round(self._cpu * scale, 2)}
