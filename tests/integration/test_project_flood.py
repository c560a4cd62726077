"""ClickHouse slower than what comes: project reads no further than it has room for."""

import threading
import time
from contextlib import contextmanager

import pytest
from aiokafka import TopicPartition

from infra.group import members
from models.topics import EVENTS
from projections import intake, project
from projections.load import Loader
from projections.project import group
from tests.support.kafka_log import send
from tests.support.log_samples import history, messages
from tests.support.waiting import until

pytestmark = pytest.mark.stack

COUNT = 6_000
ROOM = 100_000  # bytes that wait to be loaded; an event is some 600
SESSION = 6.0  # seconds; the least that a broker allows


@contextmanager
def projecting(settings, gate):
    projector = project.Projector(settings)
    running = threading.Thread(target=projector.run)
    running.start()
    try:
        yield projector
    finally:
        gate.set()
        projector.stop()
        running.join()


def test_a_slow_clickhouse_is_not_read_ahead_of_and_costs_no_place(settings, ask, monkeypatch):
    gate, at_work, insert = threading.Event(), threading.Event(), Loader._insert

    def slowly(loader, table, rows, token):
        at_work.set()
        gate.wait()
        insert(loader, table, rows, token)

    monkeypatch.setattr(Loader, "_insert", slowly)
    monkeypatch.setattr(intake, "MOST_BYTES", ROOM)
    monkeypatch.setattr(project, "POLL_RECORDS", 200)
    patience = {"session_timeout_ms": int(1000 * SESSION), "heartbeat_interval_ms": 1_000}
    monkeypatch.setattr(project, "CONSUMER", project.CONSUMER | patience)
    flood = messages(history(COUNT, customers=100))
    send(settings.kafka, settings.topic(EVENTS), flood)
    with projecting(settings, gate) as projector:
        places = [TopicPartition(settings.topic(EVENTS), n) for n in range(settings.partitions)]
        until(lambda: projector._consumer and projector._consumer.assignment() >= set(places))
        until(at_work.is_set, what="an insert is at work")
        began, generation = members(settings, group(settings)), projector._generation
        time.sleep(1.5 * SESSION)
        taken = [
            projector._consumer._subscription.subscription.assignment.state_value(at)
            for at in places
        ]
        read = sum(state.position for state in taken)
        assert 0 < read * len(flood[0][1]) < 3 * ROOM
        held = [(one.instance, one.places) for one in members(settings, group(settings))]
        assert held == [(one.instance, one.places) for one in began]
        gate.set()
        until(lambda: ask("SELECT count() FROM touchpoints")[0][0] == COUNT)
        assert ask("SELECT count() FROM touchpoints FINAL") == [(COUNT,)]
        assert projector._generation == generation
