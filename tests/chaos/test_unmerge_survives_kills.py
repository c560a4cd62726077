"""SIGKILL between any two steps of a merge and of an unmerge: in the end all is as the log says.

Two users, each with a browser and a device, are made one and parted again, once for each step.
The worker dies as soon as that step's record stands on its topic, while user and browser go on
doing things; of who is silent, a worker that starts knows by the state alone.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from infra.admin import create_topics
from models import customer as customers
from models import topics
from models.events import Identifier
from models.identity import customer_id_of
from models.links import encode, state_merge, state_unmerge
from tests.chaos.soak.crew import Crew, Zygote
from tests.chaos.soak.ground import GRACE, patient
from tests.chaos.soak.plan import SESSION
from tests.chaos.soak.settle import settle
from tests.chaos.soak.verdict import Verdict
from tests.chaos.soak.world import DAYS
from tests.support.kafka_log import send
from tests.support.waiting import until

pytestmark = [pytest.mark.stack, pytest.mark.chaos]

PARTITIONS = 3
EVERY = 0.02  # seconds between two events
# What is on a topic when a step has been taken.
OF_A_MERGE = (
    (topics.IDENTITY_LINKS, b'"kind":"stated"'),
    (topics.EVENTS, b'"type":"customer_merged"'),
    (topics.PROFILES, b'"merged_into":'),
    (topics.EVENTS, b'"type":"customer_absorbed"'),
    (topics.PROFILES, b'"absorbed":'),
)
OF_AN_UNMERGE = (
    (topics.IDENTITY_LINKS, b'"type":"unmerge"'),
    (topics.EVENTS, b'"type":"customer_regrouped"'),
    (topics.PROFILES, b'"regroup":'),
    (topics.EVENTS, b'"type":"customer_refolded"'),
    (topics.EVENTS, b'"part":true'),
)
STEPS = tuple(zip(OF_A_MERGE, OF_AN_UNMERGE, strict=True))


def named(number: int) -> tuple[Identifier, Identifier, Identifier]:
    """Return the names of a person; the last one is silent."""
    return (
        Identifier(type="user_id", value=f"u{number}"),
        Identifier(type="anonymous_id", value=f"a{number}"),
        Identifier(type="device_id", value=f"d{number}"),
    )


ANA, BEN = (customer_id_of(named(number)[0]) for number in range(2))


def said(id: str, *who: Identifier, **fields: object) -> tuple[bytes, bytes]:
    """Return key and value of a touchpoint."""
    event = {
        "type": "page_viewed",
        "event_id": id,
        "occurred_at": datetime.now(UTC).isoformat(),
        "channel": "web",
        "identifiers": [one.model_dump(mode="json") for one in who],
    }
    event |= fields or {"path": f"/{id}"}
    return str(who[0]).encode(), json.dumps(event).encode()


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    zygote = Zygote()
    yield zygote
    zygote.close()


@pytest.fixture
def settings(make_settings, broker, tmp_path):
    made = make_settings(
        kafka=broker,
        partitions=PARTITIONS,
        session_seconds=SESSION,
        horizon_days=DAYS + 15,  # nothing is learnt, so all outputs follow from the log
        contract_horizon_days=DAYS + 15,
        offers_file=patient(tmp_path / "offers.toml"),
        backfill_grace_seconds=GRACE,
    )
    made.home.mkdir(parents=True, exist_ok=True)
    create_topics(made)
    return made


@contextmanager
def living(settings) -> Iterator[None]:
    """Let both do something all the time, on both of their names."""
    over = threading.Event()

    def live() -> None:
        with closing(KafkaProducer(bootstrap_servers=settings.brokers, acks="all")) as producer:
            number = 0
            while not over.wait(EVERY):
                number += 1
                key, value = said(f"e{number}", named(number % 2)[number // 2 % 2])
                producer.send(settings.topic(topics.TOUCHPOINTS), value, key)
            producer.flush()

    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def when(settings, step: tuple[topics.Topic, bytes], do: Callable[[], None]) -> Iterator[Callable]:
    """Do something as soon as a step's record comes; what is yielded tells whether it did."""
    topic, mark = step
    done, over = threading.Event(), threading.Event()
    consumer = KafkaConsumer(bootstrap_servers=settings.brokers, fetch_max_wait_ms=10)
    width = topic.partitions or PARTITIONS
    spots = [TopicPartition(settings.topic(topic), number) for number in range(width)]
    consumer.assign(spots)
    for spot, end in consumer.end_offsets(spots).items():
        consumer.seek(spot, end)

    def look() -> None:
        while not over.is_set():
            for records in consumer.poll(timeout_ms=50).values():
                if any(mark in (record.value or b"") for record in records):
                    do()
                    done.set()
                    return

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield done.is_set
    finally:
        over.set()
        thread.join()
        consumer.close()


class Trial:
    """Workers that are killed at a step, and what is known of both users meanwhile."""

    def __init__(self, settings, zygote: Zygote, workers: int) -> None:
        self._settings = settings
        self._turn = 0
        self.crew = Crew(settings, zygote, settings.home)
        self.verdict = Verdict(settings)
        for _ in range(workers):
            self.crew.add()
        until(self.crew.ready, 120, "the workers are ready")

    def say(self, command: object) -> None:
        """State a merge or an unmerge."""
        there = self._settings.topic(topics.IDENTITY_LINKS)
        send(self._settings.brokers, there, [(b"chaos", encode(command))])

    def kill_at(self, step: tuple[topics.Topic, bytes], command: object) -> None:
        """State a command, and kill a worker as soon as the step's record is there."""
        with when(self._settings, step, self._kill) as done:
            self.say(command)
            self.wait(done, f"{step[1]!r} on {step[0].name}")

    def wait(self, ask: Callable[[], bool], what: str) -> None:
        """Wait until something is true, starting again who was killed."""
        until(lambda: self.crew.tend() or ask(), 120, what)

    def is_merged(self) -> bool:
        return self._of_ben().merged_into == ANA

    def is_parted(self) -> bool:
        return self._of_ben().merged_into is None and not self.verdict.waiting()

    def _of_ben(self) -> customers.Customer:
        value = self.verdict.owned(topics.PROFILES).get(BEN.encode())
        return customers.Customer(customer_id=BEN) if value is None else customers.decode(value)

    def _kill(self) -> None:
        """Kill one, and every other time keep it away for so long that its partitions move."""
        self._turn += 1
        up = until(self.crew.up, 60, "somebody to kill")
        away = SESSION + 1 if len(self.crew.workers) > 1 and self._turn % 2 else 0.0
        self.crew.kill(up[self._turn // 2 % len(up)], away)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_kill_after_any_step_changes_nothing(settings, zygote, workers):
    trial = Trial(settings, zygote, workers)
    silent = [said(f"silent{n}", named(n)[-1]) for n in range(2)]
    meetings = [said(f"meet{n}", *named(n), type="customer_identified") for n in range(2)]
    send(settings.brokers, settings.topic(topics.TOUCHPOINTS), silent + meetings)
    try:
        with living(settings):
            now = time.time_ns() // 1_000_000
            for number, (of_a_merge, of_an_unmerge) in enumerate(STEPS):
                at = now + number
                trial.kill_at(of_a_merge, state_merge(BEN, ANA, "chaos", "the same", at))
                trial.wait(trial.is_merged, "one customer")
                trial.kill_at(of_an_unmerge, state_unmerge(BEN, "chaos", "two after all", at))
                trial.wait(trial.is_parted, "two customers, each with their own events")
        settle(settings, trial.crew, lambda: not trial.verdict.waiting(), trial.crew.tend)
    finally:
        trial.crew.kill_all()
    trial.verdict.judge(exact=True)
    assert trial.verdict.faults == []
    assert trial.verdict.told["unmerges"] == len(OF_AN_UNMERGE)
    assert trial.verdict.told["people"] == 2
