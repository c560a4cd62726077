"""Touchpoints in, customers out: the worker against an offline fold of its own log."""

import json
import time

import pytest

from models.dead_letter import DeadLetter
from models.events import Identifier, decode_event
from models.identity import customer_id_of, normalise
from models.links import APPLIED
from models.topics import DEAD_LETTERS, EVENTS, IDENTITIES, SCORES, TOUCHPOINTS
from tests.support.kafka_log import newest, read_all, send
from tests.support.offline_fold import agreed, customers_in
from tests.support.waiting import until

pytestmark = pytest.mark.stack

NOW_MS = time.time_ns() // 1_000_000


def named(kind, value):
    return customer_id_of(normalise(Identifier(type=kind, value=value)))


def touchpoint(id, minutes_ago=0, who=(("user_id", "ana"),), type="page_viewed", **fields):
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW_MS / 1000 - 60 * minutes_ago))
    needed = {"path": "/"} if type == "page_viewed" else {}
    event = {
        "type": type,
        "event_id": id,
        "occurred_at": at,
        "identifiers": [{"type": kind, "value": value} for kind, value in who],
    }
    return (who[0][1].encode(), json.dumps(event | needed | fields).encode())


def test_profiles_are_what_an_offline_fold_of_the_log_gives(kafka_settings, start_part):
    settings = kafka_settings
    topic = settings.topic(TOUCHPOINTS)
    start_part(settings, "streams")
    bought = {"order_id": "o1", "total": {"amount": "59.00", "currency": "USD"}}
    send(
        settings.brokers,
        topic,
        [
            touchpoint("a1", 50, (("anonymous_id", "anon-1"),)),
            touchpoint("a2", 40, (("anonymous_id", "anon-1"),)),
            touchpoint("b1", 30, (("user_id", "ben"),)),
            (None, b"{not json"),
            (b"nothing", None),
            touchpoint("x1", 1, (("user_id", "null"),)),
            (b"odd", b'{"type":"danced"}', [("source", b"shop")]),
            touchpoint("o1", 20, (("user_id", "ana"),), "order_placed", schema_version=2, **bought),
        ],
    )
    ana, anon, ben = (
        named("user_id", "ana"),
        named("anonymous_id", "anon-1"),
        named("user_id", "ben"),
    )
    until(lambda: {ana, anon, ben} <= customers_in(settings).keys(), 120, "three customers")

    # The visitor says who she is; then comes a page view from before that, late.
    who = (("anonymous_id", "anon-1"), ("user_id", "ana"))
    send(
        settings.brokers,
        topic,
        [touchpoint("i1", 10, who, "customer_identified", traits={"name": "Ana"})],
    )
    until(lambda: customers_in(settings)[anon].merged_into == ana, 120, "the merge")
    send(settings.brokers, topic, [touchpoint("a3", 45, (("anonymous_id", "anon-1"),))] * 2)
    until(lambda: customers_in(settings)[ana].profile.events == 5, 120, "the late page view")

    live = until(lambda: agreed(settings), 120, "what an offline fold of the log gives")
    profile = live[ana].profile
    assert profile.events_by_type == {
        "page_viewed": 3, "order_placed": 1, "customer_identified": 1
    }  # fmt: skip
    assert profile.revenue == {"USD": 5900}
    assert set(profile.identifiers) == {"anonymous_id:anon-1", "user_id:ana"}
    assert profile.traits["name"].value == "Ana"
    assert live[ana].absorbed == [anon]
    assert live[anon].profile.events == 0
    assert live[ana].risk is not None
    assert live[ben].profile.events == 1

    assert newest(settings.brokers, settings.topic(IDENTITIES)).keys() == {
        ana.encode(), anon.encode(), APPLIED.encode()
    }  # fmt: skip
    scored = {record.key.decode() for record in read_all(settings.brokers, settings.topic(SCORES))}
    assert scored == {ana, anon, ben}

    # They lie in other partitions than what was waited for.
    topic_of_letters = settings.topic(DEAD_LETTERS)
    until(lambda: len(read_all(settings.brokers, topic_of_letters)) >= 4, 120, "the dead letters")
    letters = read_all(settings.brokers, topic_of_letters)
    why = {DeadLetter.of(letter.headers).reason: letter for letter in letters}
    assert set(why) == {"not_json", "empty", "no_identifier", "unknown_type"}
    odd = DeadLetter.of(why["unknown_type"].headers)
    assert why["unknown_type"].value == b'{"type":"danced"}'
    assert why["unknown_type"].key == b"odd"
    assert odd.headers == (("source", b"shop"),)
    assert odd.where == "type"
    log, partition, offset = odd.source.split("/")
    assert log == "touchpoints"
    whence = [
        record
        for record in read_all(settings.brokers, topic)
        if (record.partition, record.offset) == (int(partition), int(offset))
    ]
    assert [record.value for record in whence] == [b'{"type":"danced"}']


def test_a_silence_that_is_due_is_recorded_in_the_log_and_scored(kafka_settings, start_part):
    settings = kafka_settings
    eight_days_ago = touchpoint("e1", 8 * 24 * 60)
    start_part(settings, "streams", backfill_grace_seconds=0.0)
    send(settings.brokers, settings.topic(TOUCHPOINTS), [eight_days_ago])
    ana = named("user_id", "ana")

    def timers():
        log = read_all(settings.brokers, settings.topic(EVENTS))
        return [
            one for one in map(decode_event, (r.value for r in log)) if one.type == "timer_fired"
        ]

    until(timers, 120, "the timer")
    until(lambda: len(read_all(settings.brokers, settings.topic(SCORES))) == 2, 120, "its score")

    def followed():
        """Whether she waits for what comes next: a batch's outputs are written before its state."""
        found = customers_in(settings).get(ana)
        return found is not None and found.timers.get("silence", 0) > NOW_MS

    until(followed, 120, "its state")
    week = timers()[0].due_ms - customers_in(settings)[ana].profile.last_seen_ms
    assert week == 7 * 86_400_000
    assert until(lambda: agreed(settings), 120, "what an offline fold of the log gives")
    assert len(timers()) == 1
