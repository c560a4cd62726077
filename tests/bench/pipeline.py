"""(b) and (c): a real process on a real broker, from raw topic to acknowledged profiles.

Wall time runs from the first message sent to the newest record among the profiles
and scores; CPU time is the process's own over the same span.
"""

import asyncio
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
from kafka import KafkaConsumer, TopicPartition

from infra.admin import create_topics
from infra.files.log import Log, Message
from infra.local import process
from infra.settings import Settings
from models.topics import EVENTS, IDENTITY_LINKS, SCORES, TOUCHPOINTS

WARM_UP = 500  # messages before the clock runs: code is imported, partitions are assigned
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # new topics take a moment
QUIET = 2.0  # s without a new record: all is done
PATIENCE = 600.0  # s


class StalledError(RuntimeError):
    """A run did not come to its end; the message has the end of its log."""


def run(
    settings: Settings,
    module: Sequence[str],
    messages: list[Message],
    profiles: str,
    core: int,
) -> dict:
    """Start a process, give it the messages, wait until it has them all; return its figures."""
    create_topics(settings)
    log = settings.home / f"{module[0]}.log"
    with _running(settings, module, log, core) as worker, closing(_consumer(settings)) as kafka:
        _send(settings, messages[:WARM_UP])
        _settle(kafka, settings, profiles, WARM_UP, log, lambda: _cpu(worker))
        before = _ends(kafka, settings, profiles)
        cpu, begun = _cpu(worker), time.time()
        _send(settings, messages[WARM_UP:])
        spent = _settle(kafka, settings, profiles, len(messages), log, lambda: _cpu(worker)) - cpu
        finished = _newest(kafka, settings, profiles, before)
        after = _ends(kafka, settings, profiles)
    count = len(messages) - WARM_UP
    return {
        "events_per_second": count / (finished - begun),
        "cpu_us_per_event": spent * 1e6 / count,
        "records_written": {name: after[name] - before[name] for name in after},
        "memory_mib": round(worker.memory / 2**20),
    }


class _Worker:
    def __init__(self, pid: int, log: Path) -> None:
        self.process = psutil.Process(pid)
        self.log = log
        self.memory = 0


@contextmanager
def _running(settings: Settings, module: Sequence[str], log: Path, core: int):
    environ = {k: v for k, v in os.environ.items() if not k.startswith("C360_")}
    started = process.spawn(
        ["taskset", "-c", str(core), sys.executable, "-m", *module],
        log,
        environ | settings.environ(),
    )
    worker = _Worker(started.pid, log)
    try:
        yield worker
        worker.memory = worker.process.memory_info().rss
    finally:
        process.stop(started, 20)


def _cpu(worker: _Worker) -> float:
    """Return the CPU time spent so far, s. Raises StalledError when the process has ended."""
    try:
        times = worker.process.cpu_times()
        ended = worker.process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        ended = True
    if ended:
        raise StalledError(f"the process ended\n{process.tail(worker.log, 30)}")
    return times.user + times.system


def _consumer(settings: Settings) -> KafkaConsumer:
    group = settings.topic_prefix + "worker"
    return KafkaConsumer(bootstrap_servers=settings.kafka, group_id=group, enable_auto_commit=False)


def _send(settings: Settings, messages: list[Message]) -> None:
    async def send() -> None:
        async with Log(settings.kafka, settings.topic(TOUCHPOINTS)) as log:
            await log.send(messages)

    asyncio.run(send())


def _partitions(kafka: KafkaConsumer, topic: str) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for number in kafka.partitions_for_topic(topic) or ()]


def _end(kafka: KafkaConsumer, topic: str) -> int:
    partitions = _partitions(kafka, topic)
    return sum(kafka.end_offsets(partitions).values()) if partitions else 0


def _ends(kafka: KafkaConsumer, settings: Settings, profiles: str) -> dict[str, int]:
    events, scores = settings.topic(EVENTS), settings.topic(SCORES)
    return {
        "events": _end(kafka, events),
        "profiles": _end(kafka, profiles),
        "scores": _end(kafka, scores),
    }


def _behind(kafka: KafkaConsumer, topic: str) -> int:
    partitions = _partitions(kafka, topic)
    ends = kafka.end_offsets(partitions)
    return sum(max(0, ends[tp] - (kafka.committed(tp) or 0)) for tp in partitions)


def _settle(
    kafka: KafkaConsumer,
    settings: Settings,
    profiles: str,
    count: int,
    log: Path,
    cpu: Callable[[], float],
) -> float:
    """Wait until nothing is left to do; return the CPU time when the last record appeared."""
    read = [settings.topic(topic) for topic in (TOUCHPOINTS, IDENTITY_LINKS, EVENTS)]
    deadline = time.monotonic() + PATIENCE
    last: dict[str, int] = {}
    changed, spent = time.monotonic(), 0.0
    while time.monotonic() < deadline:
        ends, now = _ends(kafka, settings, profiles), cpu()
        if ends != last:
            last, changed, spent = ends, time.monotonic(), now
        quiet = time.monotonic() - changed > QUIET
        enough = ends["events"] >= count and ends["profiles"] > 0
        if quiet and enough and not any(_behind(kafka, topic) for topic in read):
            return spent
        time.sleep(0.1)
    raise StalledError(f"not done after {PATIENCE:.0f} s\n{process.tail(log, 30)}")


def _newest(
    kafka: KafkaConsumer, settings: Settings, profiles: str, before: dict[str, int]
) -> float:
    """Return the time of the newest record among profiles and scores, s since 1970."""
    spots = [tp for topic in (profiles, settings.topic(SCORES)) for tp in _partitions(kafka, topic)]
    ends = kafka.end_offsets(spots)
    spots = [tp for tp in spots if ends[tp] > 0]
    kafka.assign(spots)
    for tp in spots:
        kafka.seek(tp, ends[tp] - 1)
    newest: dict[TopicPartition, int] = {}
    while len(newest) < len(spots):
        for tp, records in kafka.poll(timeout_ms=1_000).items():
            newest[tp] = max(record.timestamp for record in records)
    return max(newest.values()) / 1000
