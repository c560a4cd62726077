"""One run: workers on a real broker, a stream of touchpoints, and what the plan does to them."""

import heapq
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count

import psutil
from kafka import KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, OffsetSpec

from infra.admin import client
from infra.group import members, worker_group
from infra.local.kafka import KafkaBroker
from infra.settings import Settings
from models import topics
from tests.chaos.soak.crew import Crew, Worker, Zygote
from tests.chaos.soak.plan import MOST, SESSION, Plan, Step
from tests.chaos.soak.world import touchpoints
from tests.support.waiting import until

READ = (
    *(topics.TOUCHPOINTS, topics.IDENTITY_LINKS, topics.EVENTS, topics.EXAMPLES),
    topics.ALERTS,
)
PORTION = 40  # messages sent at once
START = 60.0  # seconds until the first workers must be ready
SETTLE = 100.0  # seconds until all must have been processed, once the chaos is over
LOOK = 0.4  # seconds between two looks
QUIET = 1.5  # seconds without change: timers look every second


class Run:
    """What one seed does, on servers that outlive it."""

    def __init__(self, plan: Plan, settings: Settings, kafka: KafkaBroker, zygote: Zygote) -> None:
        self.plan = plan
        self.settings = settings
        self._kafka = kafka
        self._crew = Crew(settings, zygote, settings.home)
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self.done: list[str] = []

    def chaos(self) -> int:
        """Stream and do what the plan says; return how many messages were sent."""
        made = touchpoints(self.plan.seed, self.plan.customers, time.time_ns() // 1_000_000)
        for _ in range(self.plan.workers):
            self._crew.add()
        until(self._crew.ready, START, "the workers are ready")  # who does nothing loses nothing
        with self._streaming(made) as streaming:
            begun = time.monotonic()
            for step in self.plan.steps:
                self._at(begun + step.at, lambda step=step: self._do(step))
            while streaming.is_alive() or self._later:
                self._tick()
        return len(made)

    def settle(self, delivered: Callable[[], bool]) -> None:
        """Wait until all is processed, then stop everybody; again, if something came meanwhile."""
        end = time.monotonic() + SETTLE
        group = worker_group(self.settings)
        while True:
            self._wait_quiet(end, delivered)
            self._crew.stop_all()
            # Who was killed and did not come back to the group is in it until its session ends.
            until(lambda: not members(self.settings, group), 3 * SESSION, "the group is empty")
            left, _ = self._behind()
            if not left:
                return
            self._crew.add()

    def close(self) -> None:
        """Leave no process behind."""
        self._crew.kill_all()

    def ended(self) -> str:
        """Say how workers ended."""
        return ", ".join(f"{name}:{code}" for name, code in self._crew.ended)

    def _behind(self) -> tuple[dict[str, int], dict[tuple[str, int], int]]:
        """Return how much of each topic is not committed as processed, and where each ends."""
        group = worker_group(self.settings)
        with client(self.settings) as admin:
            ends = _ends(admin, self.settings)
            committed = admin.list_group_offsets({group: None})[group]
        done = {(place.topic, place.partition): at.offset for place, at in committed.items()}
        left: Counter[str] = Counter()
        for place, end in ends.items():
            left[place[0]] += end - max(done.get(place, 0), 0)
        return {topic: count for topic, count in left.items() if count}, ends

    def _wait_quiet(self, end: float, delivered: Callable[[], bool]) -> None:
        since, before = time.monotonic(), None
        while time.monotonic() - since < QUIET:
            pause = time.monotonic() + LOOK
            while time.monotonic() < pause:
                self._tick()
            left, now = self._behind()
            if left or now != before or not self._crew.up() or not delivered():
                since, before = time.monotonic(), now
            if time.monotonic() > end:
                tails = "\n".join(self._crew.tail(one, 25) for one in self._crew.workers)
                raise AssertionError(f"not done after {SETTLE:.0f} s, left: {left}\n{tails}")

    @contextmanager
    def _streaming(self, made: list[tuple[bytes, bytes]]) -> Iterator[threading.Thread]:
        failed: list[BaseException] = []

        def send() -> None:
            pause = self.plan.seconds * PORTION / len(made)
            try:
                with closing(KafkaProducer(bootstrap_servers=self.settings.brokers)) as producer:
                    for start in range(0, len(made), PORTION):
                        for key, value in made[start : start + PORTION]:
                            producer.send(self.settings.topic(topics.TOUCHPOINTS), value, key)
                        producer.flush(60)
                        time.sleep(pause)
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        yield thread
        thread.join()
        if failed:
            raise failed[0]

    def _tick(self) -> None:
        while self._later and self._later[0][0] <= time.monotonic():
            heapq.heappop(self._later)[2]()
        self._crew.tend()
        time.sleep(0.03)

    def _at(self, when: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._later, (when, next(self._order), do))

    def _victim(self, step: Step) -> Worker | None:
        up = self._crew.up()
        return up[step.victim % len(up)] if up else None

    def _do(self, step: Step) -> None:
        """Do one step, as far as there is somebody to do it to."""
        victim = self._victim(step)
        self.done.append(f"{step.action} {victim.name if victim else '-'}")
        match step.action:
            case "broker" if self._kafka.pid is not None:  # not while it is away already
                self._restart_broker(step.away)
            case "add" if len(self._crew.workers) < MOST:
                self._crew.add()
            case "kill" if victim:
                self._crew.kill(victim, step.away)
            case "pause" if victim:
                self._at(time.monotonic() + step.away, self._crew.pause(victim))
            case "stop" if victim:
                self._crew.stop(victim, signal.SIGTERM, step.away)
            case "interrupt" if victim:
                self._crew.stop(victim, signal.SIGINT, step.away)
            case "remove" if victim and len(self._crew.workers) > 1:
                self._crew.stop(victim, signal.SIGTERM, None)
            case _:
                self.done[-1] += " (nobody)"

    def _restart_broker(self, away: float) -> None:
        if away < SESSION / 2:
            self._kafka.stop()
        else:
            _kill(self._kafka.pid)
        self._at(time.monotonic() + away, self._kafka.start)


def _kill(pid: int) -> None:
    process = psutil.Process(pid)
    process.kill()
    process.wait(10)


def _ends(admin: KafkaAdminClient, settings: Settings) -> dict[tuple[str, int], int]:
    """Return where each partition that a worker reads ends."""
    spots = [
        TopicPartition(settings.topic(topic), number)
        for topic in READ
        for number in range(topic.partitions or settings.partitions)
    ]
    found = admin.list_partition_offsets(dict.fromkeys(spots, OffsetSpec.LATEST))
    return {(spot.topic, spot.partition): found[spot].offset for spot in spots}
