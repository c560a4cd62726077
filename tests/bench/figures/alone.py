"""(e) The lane alone against other frameworks: decode JSON, count and sum by key, changelog acked.

The events are on the topic before anything starts. The clock runs from the moment a
contender has processed the warm-up, which it says itself, to the arrival of the newest
record on its changelog; what the changelog then adds up to must be every event.
"""

import random
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import NamedTuple

from infra.files.log import Message
from infra.settings import Settings
from models.topics import EVENTS, PROFILES
from tests.bench import pipeline
from tests.bench.changelog import counted
from tests.bench.harness import PYTHON, Bench, Running, StalledError
from tests.bench.peers import environment, maven

NAME = "alone"
GOALS = {"lane_over_bytewax": "≥ 1.5", "lane_over_kafka_streams": "≥ 1.0"}

FULL, QUICK = 1_000_000, 30_000
WARM_UP = 5  # a fifth more, before the clock runs: the JVM compiles what is hot
KEYS = 10_000
STARTING = 60.0  # s
_MARK = re.compile(r"^mark (\d+) (\d+)$", re.MULTILINE)


class Contender(NamedTuple):
    """One framework: its command, its changelog if not `profiles`, the share of events it takes."""

    command: Callable[[Bench, Settings, int], tuple[str, ...]]
    changelog: Callable[[Settings], str] = lambda settings: settings.topic(PROFILES)
    share: int = 1


def measure(bench: Bench) -> dict:
    """Run each in turn; return rates, CPU and ratios, medians over the passes."""
    number = bench.fewer(FULL, QUICK)
    events = list(made(number + number // WARM_UP))
    passes: dict[str, list[dict]] = {name: [] for name in CONTENDERS}
    for _ in range(bench.runs):
        for name, contender in CONTENDERS.items():
            passes[name].append(one(bench, name, contender, events))
            bench.say(f"{name}: {passes[name][-1]['events_per_second']:,.0f} events/s")
    found: dict = {
        name: {key: round(statistics.median(run[key] for run in runs), 3) for key in runs[0]}
        for name, runs in passes.items()
    }
    for other in CONTENDERS:
        if other != "lane":
            over = found["lane"]["events_per_second"] / found[other]["events_per_second"]
            found[f"lane_over_{other}"] = round(over, 3)
    return found | {"events": number, "keys": KEYS, "passes": list(passes.items())}


def made(number: int) -> Iterator[Message]:
    """Yield small JSON events for random keys, the same each time."""
    draw = random.Random(360)
    for at in range(number):
        key = b"customer-%d" % draw.randrange(KEYS)
        value = (
            b'{"event_id":"e-%d","type":"order_placed","customer":"%s",'
            b'"occurred_ms":%d,"amount":%d,"currency":"EUR"}'
            % (at, key, 1_760_000_000_000 + at, draw.randrange(1, 10_000))
        )
        yield Message(key, value, [])


def one(bench: Bench, name: str, contender: Contender, events: list[Message]) -> dict:
    """Run one contender over its events, on topics of its own."""
    settings = bench.settings(name)
    bench.topics(settings)
    taken = events[: len(events) // contender.share]
    mark = len(taken) // (WARM_UP + 1)
    pipeline.send(settings, taken, settings.topic(EVENTS))
    changelog = contender.changelog(settings)
    if changelog != settings.topic(PROFILES):
        config = {"cleanup.policy": "compact"}
        pipeline.make_topic(settings, changelog, settings.partitions, **config)
    command = contender.command(bench, settings, mark)
    spots = pipeline.Spots(settings, changelog, commits=False)
    with closing(spots):
        with bench.process(settings, *command, environ={"MARK": str(mark)}) as running:
            before, begun, cpu = marked(running)
            spent = spots.settled(running, 0) - cpu
            memory = running.memory()
        finished, records = spots.newest(), spots.ends()["profiles"]
    found = counted(settings, changelog)
    if found != len(taken):
        raise StalledError(f"{name} counted {found:,} of {len(taken):,} events")
    number = len(taken) - before
    return {
        "events_per_second": number / (finished - begun),
        "cpu_us_per_event": spent * 1e6 / number,
        "changelog_records_per_event": records / len(taken),
        "memory_mib": round(memory / 2**20),
    }


def marked(running: Running) -> tuple[int, float, float]:
    """Wait for the warm-up's end; return events processed, when (s), and CPU spent (s) by then."""
    deadline = time.monotonic() + STARTING
    while time.monotonic() < deadline:
        spent = running.cpu()
        said = _MARK.search(running.tail())
        if said is not None:
            return int(said[1]), int(said[2]) / 1000, spent
        time.sleep(0.01)
    raise StalledError(f"no start after {STARTING:.0f} s\n{running.tail()}")


def _lane(bench: Bench, settings: Settings, mark: int) -> tuple[str, ...]:
    return (*PYTHON, "tests.bench.peers.lane_alone")


def _bytewax(bench: Bench, settings: Settings, mark: int) -> tuple[str, ...]:
    python, store = environment.python(bench, "bytewax"), settings.home / "recovery"
    store.mkdir()
    subprocess.run([python, "-m", "bytewax.recovery", str(store), "1"], check=True)
    flow = "tests.bench.peers.bytewax.alone:flow"
    kept = ("--recovery-directory", str(store), "--snapshot-interval", "10")
    return (python, "-m", "bytewax.run", flow, *kept, "--backup-interval", "0")


def _quix(bench: Bench, settings: Settings, mark: int) -> tuple[str, ...]:
    return (environment.python(bench, "quix"), "-m", "tests.bench.peers.quix.alone")


def _kafka_streams(bench: Bench, settings: Settings, mark: int) -> tuple[str, ...]:
    java, jars = maven.program(bench, "kafka-streams")
    where = (settings.kafka, f"{settings.topic_prefix}streams", settings.topic(EVENTS))
    run = (java, "-Xmx1g", "-cp", jars, "bench.CountAndSum", *where)
    return (*run, str(settings.home / "streams"), str(mark))


CONTENDERS = {
    "lane": Contender(_lane),
    "bytewax": Contender(_bytewax),
    "kafka_streams": Contender(
        _kafka_streams, lambda s: f"{s.topic_prefix}streams-totals-changelog"
    ),
    # It is slow, and its rate is even: the first tenth is enough to tell.
    "quix": Contender(
        _quix,
        lambda s: f"changelog__{s.topic_prefix}quix--{s.topic(EVENTS)}--default",
        share=10,
    ),
}
