"""A past that is read in by a real worker teaches those who stayed away among those who came."""

import json
import time

import pytest

from infra.admin import create_topics
from models.customer import decode
from models.events import decode_event
from models.judge import Judge
from models.online.learner import read_lesson
from models.react import Position
from models.replay import replay
from models.rhythm import DAY_MS
from models.topics import EVENTS, EXAMPLES, PROFILES, SCORES, TOUCHPOINTS
from tests.support.kafka_log import newest, read_all, send
from tests.support.waiting import until

pytestmark = pytest.mark.stack

NOW_MS = time.time_ns() // 1_000_000
DAYS, STAYED = 240, 60  # of the past; of it, before half of all customers went
CUSTOMERS, EVERY = 120, 4  # days between a customer's visits
LOT = 200  # touchpoints sent at once


def visit(user, day):
    at = NOW_MS - (DAYS - day) * DAY_MS - user * 60_000
    event = {
        "type": "page_viewed",
        "event_id": f"{user}-{day}",
        "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at / 1_000)),
        "path": "/",
        "identifiers": [{"type": "user_id", "value": f"u{user}"}],
    }
    return (f"user_id:u{user}".encode(), json.dumps(event).encode())


def scored(settings):
    """Count the visits that were scored: who stays away is scored too, when a timer fires."""
    scores = read_all(settings.brokers, settings.topic(SCORES))
    causes = (json.loads(one.value)["cause"] for one in scores)
    return sum(not cause.startswith("timer:") for cause in causes)


def test_who_stayed_away_is_learnt_among_those_who_came_back(make_settings, broker, start_part):
    settings = make_settings(kafka=broker, partitions=2)
    create_topics(settings)
    told = [
        visit(user, day)
        for day in range(DAYS)
        for user in range(day % EVERY, CUSTOMERS, EVERY)
        if day < STAYED or user % 2
    ]
    start_part(settings, "streams")  # a past that is over is concluded after ten minutes
    for at in range(0, len(told), LOT):
        send(settings.brokers, settings.topic(TOUCHPOINTS), told[at : at + LOT])
        # As a source that does not outrun the worker: it reads 4,500 events as two batches.
        until(lambda sent=at: scored(settings) > sent, 120, "it is read")

    def taught():
        log = read_all(settings.brokers, settings.topic(EXAMPLES))
        found = [read_lesson(record.offset, record.value).example for record in log]
        return [one for one in found if one.model == "churn"]

    end = NOW_MS - DAYS * DAY_MS + 170 * DAY_MS
    until(lambda: any(one.label_ms > end for one in taught() if not one.label), 120, "who came")
    until(lambda: any(one.label_ms > end for one in taught() if one.label), 120, "who stayed away")

    def places(label):
        """Of each of a class that is due by then: how far through those examples it was taught."""
        due = [one.label == label for one in taught() if one.label_ms <= end]
        return [number / len(due) for number, is_one in enumerate(due) if is_one]

    away, came = places(1.0), places(0.0)
    assert min(len(away), len(came)) > 100
    assert sum(one < 0.75 for one in away) > len(away) / 4  # not all of them at the end

    def agreed():
        log = [
            (Position("events", record.partition, record.offset), record.value)
            for record in read_all(settings.brokers, settings.topic(EVENTS))
        ]
        offline = replay(log, Judge.untrained(horizon_days=settings.horizon_days))
        values = newest(settings.brokers, settings.topic(PROFILES)).values()
        real = {one.customer_id: one for one in map(decode, values)}
        fields = ("offset", "version", "clock_ms", "seen", "profile", "rhythm")
        return {id: [getattr(one, name) for name in fields] for id, one in offline.items()} == {
            id: [getattr(one, name) for name in fields] for id, one in real.items()
        }

    until(agreed, 120, "profiles that an offline fold of the log gives")
    log = [decode_event(one.value) for one in read_all(settings.brokers, settings.topic(EVENTS))]
    fired = [one for one in log if one.type == "timer_fired"]
    assert len({(one.customer_id, one.due_ms) for one in fired}) == len(fired)
    assert all(one.occurred_ms < one.received_ms - DAY_MS for one in fired)
