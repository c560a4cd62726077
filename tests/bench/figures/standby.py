"""How long a partition waits when its worker is gone and another has, or has not, a copy of it.

`takeover_seconds`: from the moment the group gave it to the survivor until that one
goes on. `after_kill_seconds` holds the session too, for which a silent worker is
waited for; `after_stop_seconds` is of one that was told to stop, and says so.
"""

import time
from contextlib import ExitStack, closing

from kafka import KafkaConsumer, TopicPartition

from infra.local import ports
from infra.settings import Settings
from models.topics import PROFILES
from tests.bench.customers import PATIENCE, filled, ready, status, when
from tests.bench.harness import PARTITIONS, PYTHON, Bench, Running, StalledError

NAME = "standby"
GOALS = {"copied.killed.takeover_seconds": "≤ 2 s"}
CUSTOMERS = 1_000_000
SESSION = 6.0


def measure(bench: Bench) -> dict:
    """Stop and kill one of two workers, with copies and without."""
    number = bench.fewer(CUSTOMERS, 20_000)
    settings, _ = filled(bench, number)
    found: dict = {"customers": number, "session_seconds": SESSION}
    for name, standbys in (("copied", 1), ("not_copied", 0)):
        found[name] = {
            how: gone(bench, settings.model_copy(update={"standbys": standbys}), how)
            for how in ("killed", "stopped")
        }
        bench.say(f"{name}: {found[name]}")
    return found


def gone(bench: Bench, settings: Settings, how: str) -> dict:
    """Run two workers, let one go; return how long the other took."""
    pair = [
        settings.model_copy(
            update={"instance": name, "worker_port": ports.free_port(), "session_seconds": SESSION}
        )
        for name in ("stays", "goes")
    ]
    with ExitStack() as stack:
        stays, goes = (
            stack.enter_context(bench.process(one, *PYTHON, "streams", "worker")) for one in pair
        )
        for one, running in zip(pair, (stays, goes), strict=True):
            when(ready, one, running)
        ends = ends_of(settings)
        for one, running in zip(pair, (stays, goes), strict=True):
            when(
                lambda said: level(said, ends) if settings.standbys else shared(said), one, running
            )
        before = status(pair[0])["tenure"]
        began = time.monotonic()
        if how == "killed":
            goes.kill()
        else:
            goes.stop()
        given, again = handed_over(pair[0], stays, before)
    return {
        f"after_{'kill' if how == 'killed' else 'stop'}_seconds": round(again - began, 2),
        "takeover_seconds": round(again - given, 2),
    }


def shared(said: dict) -> bool:
    """Whether another worker has some of the customers' partitions."""
    return said["ready"] and len(said["tables"]["customers"]) < PARTITIONS


def level(said: dict, ends: dict[int, int]) -> bool:
    """Whether all that is not owned is copied, at least up to `ends`: timers may write more."""
    copies = said["standby"]["customers"]
    return shared(said) and all(
        copies.get(str(number), -1) >= end
        for number, end in ends.items()
        if str(number) not in said["tables"]["customers"]
    )


def ends_of(settings: Settings) -> dict[int, int]:
    """Return where the customers' changelog ends by now, by partition."""
    with closing(KafkaConsumer(bootstrap_servers=settings.kafka)) as kafka:
        topic = settings.topic(PROFILES)
        spots = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        return {spot.partition: end for spot, end in kafka.end_offsets(spots).items()}


def handed_over(settings: Settings, running: Running, before: int) -> tuple[float, float]:
    """Return when the survivor was given the other's partitions, and when it went on."""
    deadline, given = time.monotonic() + PATIENCE, 0.0
    while time.monotonic() < deadline:
        running.check()
        said = status(settings)
        if said and said["tenure"] > before:
            given = given or time.monotonic()
            if said["ready"]:
                return given, time.monotonic()
        time.sleep(0.02)
    raise StalledError(f"not taken over after {PATIENCE:.0f} s\n{running.tail()}")
