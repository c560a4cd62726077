"""SIGKILL in the midst of `c360 rebuild profiles --swap`: every customer stays whole.

Each is as he was or as the log gives him; a worker goes on from there, and the next swap
finishes what the first one began.
"""

import json
import os
import subprocess
import sys
from contextlib import closing

import pytest
from kafka import KafkaConsumer, TopicPartition
from msgspec.structs import replace

from infra.admin import create_topics
from infra.group import members, worker_group
from models.customer import Customer, decode, encode
from models.judge import Judge
from models.profile import Profile
from models.react import Position
from models.replay import replay
from models.topics import EVENTS, PROFILES
from tests.chaos.soak.plan import SESSION
from tests.chaos.soak.settle import behind
from tests.support.changelog import recovered
from tests.support.kafka_log import read_all, send
from tests.support.log_samples import history, messages
from tests.support.waiting import until

pytestmark = [pytest.mark.stack, pytest.mark.chaos]

CUSTOMERS = 400


@pytest.fixture
def settings(make_settings, broker):
    made = make_settings(kafka=broker, session_seconds=SESSION)
    made.home.mkdir(parents=True, exist_ok=True)
    create_topics(made)
    return made


def given(settings) -> dict[str, Customer]:
    """Return each customer as the log gives him."""
    records = read_all(settings.kafka, settings.topic(EVENTS))
    at = [(Position(EVENTS.name, one.partition, one.offset), one.value) for one in records]
    return replay(at, Judge.untrained())


def live(settings) -> dict[str, Customer]:
    """Return each customer as a worker that starts now would find him."""
    topic = settings.topic(PROFILES)
    copies = recovered(settings.kafka, topic, range(settings.partitions)).values()
    found = [decode(value) for copy in copies for value in copy.store.contents.values()]
    return {one.customer_id: one for one in found}


def profiles(some: dict[str, Customer]) -> dict[str, Profile]:
    return {id: one.profile for id, one in some.items()}


# `c360` that stands still once the second of all partitions is written: killed there, it has
# written no other, however late the kill comes.
STANDS = """
import time
from infra.cli import app
from infra.rebuild import profiles

write = profiles.write

def stands(settings, topic, partition, *rest):
    write(settings, topic, partition, *rest)
    if partition == 1:
        time.sleep(600)

profiles.write = stands
app()
"""
RUNS = ("-m", "infra.cli")


def rebuild(settings, *arguments: str, by: tuple[str, ...] = RUNS) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("C360_")}
    return subprocess.Popen(
        [sys.executable, *by, "rebuild", "profiles", *arguments, "--json"],
        env=clean | settings.environ(),
        stdout=subprocess.PIPE,
        text=True,
    )


def kill_while_it_writes(settings) -> None:
    """Swap, and SIGKILL it as soon as a customer of the second partition is written."""
    topic = settings.topic(PROFILES)
    spots = [TopicPartition(topic, number) for number in range(settings.partitions)]
    with closing(KafkaConsumer(bootstrap_servers=settings.kafka)) as consumer:
        consumer.assign(spots)
        for spot, end in consumer.end_offsets(spots).items():
            consumer.seek(spot, end)
        running = rebuild(settings, "--swap", by=("-c", STANDS))
        try:
            while spots[1] not in consumer.poll(timeout_ms=100):
                assert running.poll() is None, "it ended by itself"
        finally:
            running.kill()
            running.communicate()


def test_a_swap_killed_while_it_writes_leaves_every_customer_whole(settings, start_part):
    send(settings.kafka, settings.topic(EVENTS), messages(history(1_600, CUSTOMERS)))
    right = given(settings)
    wrong = {
        id: replace(one, profile=replace(one.profile, orders=999)) for id, one in right.items()
    }
    spoilt = [(id.encode(), encode(one)) for id, one in wrong.items()]
    send(settings.kafka, settings.topic(PROFILES), spoilt)

    kill_while_it_writes(settings)
    found = live(settings)
    assert found.keys() == right.keys()
    mended = {id for id, one in found.items() if one.profile == right[id].profile}
    assert 0 < len(mended) < len(right), "it was killed in the midst"
    assert all(one == wrong[id] for id, one in found.items() if id not in mended)

    worker = start_part(settings, "streams", "worker")
    until(lambda: members(settings, worker_group(settings)), 60, "the worker is there")
    more = history(800, CUSTOMERS, seed=2)
    later = [
        one.model_copy(update={"event_id": f"new-{number}", "origin_offset": 10_000 + number})
        for number, one in enumerate(more)
    ]
    send(settings.kafka, settings.topic(EVENTS), messages(later))
    until(lambda: not behind(settings)[0], 60, "all is folded")
    worker.stop()
    until(lambda: not members(settings, worker_group(settings)), 60, "it is gone")

    again = rebuild(settings, "--swap")
    said = json.loads(again.communicate(timeout=240)[0])
    assert (again.returncode, said["written"]) == (0, len(right) - len(mended))
    assert profiles(live(settings)) == profiles(given(settings))
    assert rebuild(settings).wait(240) == 0
