"""Whatever happens to workers, each event is counted once and has its output.

The order of kills is seeded; what Kafka makes of it is not, so each run differs.
"""

import asyncio
import random
import signal
import threading
import time
from collections import Counter
from contextlib import contextmanager

import pytest

from models.topics import PROFILES, SCORES
from streams.lane.disk import DiskStore, topic_ids
from tests.support.changelog import recovered
from tests.support.counting import WORKER, committed, counted, events, produce, status
from tests.support.kafka_log import read_all
from tests.support.waiting import until

pytestmark = [pytest.mark.stack, pytest.mark.chaos]

EVENTS_IN_ALL = 24_000
KEYS = 40


@pytest.fixture(autouse=True)
def _slow_enough_to_be_hit(monkeypatch):
    monkeypatch.setenv("PAUSE", "0.02")
    monkeypatch.setenv("SESSION", "20")  # who stands still for half of it ends by himself


def prove_disk(settings, instances):
    """What stopped workers left on disk is what the changelog tells, as far as they had it."""
    topic = settings.topic(PROFILES)
    [id] = topic_ids(settings.brokers, [topic]).values()
    truth = recovered(settings.brokers, topic, range(settings.partitions))
    folders = [settings.home / "worker" / name / "state" / topic for name in instances]
    level = 0
    for folder in (one for root in folders for one in root.iterdir()):
        store, copy = DiskStore(folder, id), truth[int(folder.name)]
        if store.stamp.position == copy.store.stamp.position:
            level += 1
            assert dict(store) == copy.store.contents
    assert level >= settings.partitions


@contextmanager
def streaming(settings):
    """Send the events in the background, over ten seconds or so."""
    portion = EVENTS_IN_ALL // 60

    def send():
        for number in range(60):
            asyncio.run(produce(settings, events(portion, KEYS, number * portion)))
            time.sleep(0.1)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield sender
    finally:
        sender.join()


def prove_exact(settings, parts):
    """Wait until all is counted; then nothing is lost, nothing doubled, no output missing."""
    until(
        lambda: sum(committed(settings).values()) == EVENTS_IN_ALL,
        90,
        "all committed\n" + "\n".join(part.tail() for part in parts),
    )
    assert counted(settings) == Counter(
        {b"key-%d" % number: EVENTS_IN_ALL // KEYS for number in range(KEYS)}
    )
    outputs = read_all(settings.brokers, settings.topic(SCORES))
    assert len({record.value for record in outputs}) == EVENTS_IN_ALL


@pytest.mark.parametrize("seed", [1, 2])
def test_kills_in_mid_stream_lose_and_double_nothing(state_settings, start_part, seed):
    chance = random.Random(seed)
    part = start_part(state_settings, WORKER)
    with streaming(state_settings):
        for _ in range(5):
            until(lambda: status(state_settings).get("ready"), 60, part.tail())
            time.sleep(chance.uniform(0.1, 2.0))
            part.kill()
            part = start_part(state_settings, WORKER)
    prove_exact(state_settings, [part])
    if state_settings.state == "disk":
        until(lambda: status(state_settings).get("ready"), 60, part.tail())
        assert part.stop() == 0, part.tail()
        prove_disk(state_settings, ["w0"])


def test_workers_that_join_and_leave_lose_and_double_nothing(kafka_settings, start_part):
    other = kafka_settings.model_copy(update={"worker_port": kafka_settings.ingest_port})
    first = start_part(kafka_settings, WORKER, instance="w1")
    until(lambda: status(kafka_settings).get("ready"), 60, first.tail())
    with streaming(kafka_settings):
        for _ in range(3):
            second = start_part(other, WORKER, instance="w2")
            until(lambda: status(other).get("ready"), 60, second.tail())
            time.sleep(1)
            assert second.stop() == 0, second.tail()
    prove_exact(kafka_settings, [first])


def test_two_workers_killed_in_turn_lose_and_double_nothing(state_settings, start_part):
    chance = random.Random(3)
    places = [
        state_settings.model_copy(update={"instance": "w1"}),
        state_settings.model_copy(
            update={"instance": "w2", "worker_port": state_settings.ingest_port}
        ),
    ]
    parts = [start_part(place, WORKER) for place in places]
    with streaming(state_settings):
        for turn in range(6):
            victim = turn % 2
            until(lambda at=places[victim]: status(at).get("ready"), 60, parts[victim].tail())
            time.sleep(chance.uniform(0.1, 1.5))
            parts[victim].kill()
            parts[victim] = start_part(places[victim], WORKER)
    prove_exact(state_settings, parts)
    if state_settings.state == "disk":
        for place, part in zip(places, parts, strict=True):
            until(lambda at=place: status(at).get("ready"), 60, part.tail())
        assert [part.stop() for part in parts] == [0, 0]
        prove_disk(state_settings, ["w1", "w2"])


def test_a_worker_that_stood_still_beyond_its_session_writes_nothing_stale(
    kafka_settings, start_part, monkeypatch
):
    monkeypatch.setenv("SESSION", "6")
    places = [
        kafka_settings.model_copy(update={"instance": "w1"}),
        kafka_settings.model_copy(
            update={"instance": "w2", "worker_port": kafka_settings.ingest_port}
        ),
    ]
    parts = [start_part(place, WORKER) for place in places]
    for place, part in zip(places, parts, strict=True):
        until(lambda at=place: status(at).get("ready"), 60, part.tail())
    with streaming(kafka_settings):
        for victim in (0, 1):
            time.sleep(0.5)
            parts[victim].process.send_signal(signal.SIGSTOP)
            time.sleep(9)
            parts[victim].process.send_signal(signal.SIGCONT)
            assert parts[victim].process.wait(timeout=60) == 70
            assert "stood still" in parts[victim].tail(60)
            parts[victim] = start_part(places[victim], WORKER)
            until(lambda at=places[victim]: status(at).get("ready"), 60, parts[victim].tail())
    prove_exact(kafka_settings, parts)
