"""A real process on a real broker, from raw topic to acknowledged profiles and scores.

Wall time runs from the first message sent to the newest record among the profiles
and scores, by the broker's clock; CPU time is the process's own over the same span.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from contextlib import closing

from kafka import KafkaConsumer, TopicPartition

from infra.admin import client
from infra.files.log import Log, Message
from infra.settings import Settings
from models.topics import EVENTS, IDENTITY_LINKS, PROFILES, SCORES, TOUCHPOINTS
from tests.bench.changelog import newest, profiles_digest
from tests.bench.core import Core
from tests.bench.harness import BROKER_TIME, Bench, Running, StalledError, WrongError

WARM_UP = 500  # messages before the clock runs: code is imported, partitions are assigned
QUIET = 2.0  # s without a new record: all is done
PATIENCE = 240.0  # s
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # new topics take a moment


def run(
    bench: Bench,
    settings: Settings,
    command: Sequence[str],
    messages: list[Message],
    profiles: str = "",
    *,
    commits: bool = True,
) -> dict:
    """Start a process, give it the messages, wait until it has them all; return its figures.

    The topics are there already. What comes out must be what the core makes of the messages:
    raises WrongError when it is not, StalledError when it does not come.

    `profiles`: the topic that carries them, when it is not the worker's own; `commits`:
    whether its offsets are in its group, to be waited for.
    """
    spots = Spots(settings, profiles or settings.topic(PROFILES), commits=commits)
    with bench.process(settings, *command) as running, closing(spots):
        send(settings, messages[:WARM_UP])
        spots.settled(running, WARM_UP)
        before = spots.ends()
        cpu, begun = running.cpu(), time.time()
        send(settings, messages[WARM_UP:])
        spent = spots.settled(running, len(messages)) - cpu
        finished, after = spots.newest(), spots.ends()
        memory = running.memory()
    kept = newest(settings, profiles or settings.topic(PROFILES))
    if profiles_digest(kept) != expected(bench, messages):
        raise WrongError("the profiles are not those that the core makes of the same events")
    number = len(messages) - WARM_UP
    return {
        "events_per_second": number / (finished - begun),
        "cpu_us_per_event": spent * 1e6 / number,
        "records_written": {name: after[name] - before[name] for name in after},
        "memory_mib": round(memory / 2**20),
        "customers": len(kept),
    }


def expected(bench: Bench, messages: list[Message]) -> str:
    """Return the digest of the profiles that the core makes of these events."""

    def digest() -> str:
        core = Core(bench.judge())
        core.process(messages)
        return profiles_digest(core.customers.values())

    return bench.once(("profiles of", len(messages)), digest)


def send(settings: Settings, messages: Iterable[Message], topic: str = "") -> None:
    """Send messages (to the touchpoints); returns when the broker has them."""

    async def all_of_them() -> None:
        async with Log(settings.kafka, topic or settings.topic(TOUCHPOINTS)) as log:
            await log.send(messages)

    asyncio.run(all_of_them())


def make_topic(settings: Settings, name: str, partitions: int, **config: str) -> None:
    """Make a topic outside the catalogue, stamped by the broker."""
    with client(settings) as admin:
        admin.create_topics(
            {
                name: {
                    "num_partitions": partitions,
                    "replication_factor": 1,
                    "configs": config | BROKER_TIME,
                }
            },
            wait_for_metadata=True,
        )


class Spots:
    """The ends of what a process writes, and how far it has read."""

    def __init__(self, settings: Settings, profiles: str, *, commits: bool = True) -> None:
        self._written = {
            "events": settings.topic(EVENTS),
            "profiles": profiles,
            "scores": settings.topic(SCORES),
        }
        read = (TOUCHPOINTS, IDENTITY_LINKS, EVENTS) if commits else ()
        self._read = [settings.topic(one) for one in read]
        self._kafka = KafkaConsumer(
            bootstrap_servers=settings.kafka,
            group_id=settings.topic_prefix + "worker",
            enable_auto_commit=False,
        )

    def close(self) -> None:
        """Disconnect."""
        self._kafka.close()

    def ends(self) -> dict[str, int]:
        """Return how many records each written topic has had."""
        return {
            name: sum(self._kafka.end_offsets(self._partitions(topic)).values())
            for name, topic in self._written.items()
        }

    def settled(self, running: Running, number: int) -> float:
        """Wait until nothing is left to do; return the CPU time when the last record appeared.

        Done: so many events are on the log, all that is read is committed, and nothing new
        has come for a while. Raises StalledError.
        """
        deadline = time.monotonic() + PATIENCE
        last: dict[str, int] = {}
        changed, spent = time.monotonic(), 0.0
        while time.monotonic() < deadline:
            ends, now = self.ends(), running.cpu()
            if ends != last:
                last, changed, spent = ends, time.monotonic(), now
            quiet = time.monotonic() - changed > QUIET
            enough = ends["events"] >= number and ends["profiles"] > 0
            if quiet and enough and not self.behind():
                return spent
            time.sleep(0.1)
        raise StalledError(f"not done after {PATIENCE:.0f} s: {last}\n{running.tail()}")

    def behind(self) -> int:
        """Return how many records are not yet read and committed."""
        return sum(self._behind(topic) for topic in self._read)

    def newest(self) -> float:
        """Return when the newest profile or score arrived at the broker, s since 1970."""
        topics = (self._written["profiles"], self._written["scores"])
        spots = [spot for topic in topics for spot in self._partitions(topic)]
        ends = self._kafka.end_offsets(spots)
        spots = [spot for spot in spots if ends[spot] > 0]
        self._kafka.assign(spots)
        for spot in spots:
            self._kafka.seek(spot, ends[spot] - 1)
        newest: dict[TopicPartition, int] = {}
        while len(newest) < len(spots):
            for spot, records in self._kafka.poll(timeout_ms=1_000).items():
                newest[spot] = max(record.timestamp for record in records)
        return max(newest.values()) / 1000

    def _partitions(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(topic, n) for n in self._kafka.partitions_for_topic(topic) or ()]

    def _behind(self, topic: str) -> int:
        spots = self._partitions(topic)
        ends = self._kafka.end_offsets(spots)
        return sum(max(0, ends[spot] - (self._kafka.committed(spot) or 0)) for spot in spots)
