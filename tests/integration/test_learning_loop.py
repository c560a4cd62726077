"""The loop closes: examples of a real worker become the model that it predicts with."""

import json
import time

import msgspec
import pytest

from models.customer import decode as read_customer
from models.online.learner import read_lesson, resume
from models.online.snapshots import Snapshot, decode, encode
from models.records import Score
from models.topics import EXAMPLES, MODEL_SNAPSHOTS, PROFILES, SCORES, TOUCHPOINTS
from tests.support.kafka_log import newest, read_all, send
from tests.support.log_samples import example
from tests.support.waiting import until

pytestmark = pytest.mark.stack

KEY = b"test-snapshot-secret"
PATIENCE = 120  # seconds; a busy machine takes most of them to start a worker


def page_view(user):
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    event = {
        "type": "page_viewed",
        "event_id": f"{user}-1",
        "occurred_at": at,
        "path": "/",
        "identifiers": [{"type": "user_id", "value": user}],
    }
    return (user.encode(), json.dumps(event).encode())


def snapshot(settings):
    value = newest(settings.brokers, settings.topic(MODEL_SNAPSHOTS)).get(b"churn")
    return None if value is None else decode(value, KEY)


def score_of(settings, user):
    for value in newest(settings.brokers, settings.topic(PROFILES)).values():
        customer = read_customer(value)
        if f"user_id:{user}" in customer.profile.identifiers:
            return customer.risk
    return None


def test_kills_and_batches_change_no_bit_of_what_is_learnt(kafka_settings, start_part):
    settings = kafka_settings
    log = settings.topic(EXAMPLES)
    send(settings.brokers, log, [example(n) for n in range(300)])
    worker = start_part(settings, "streams")
    until(lambda: snapshot(settings), PATIENCE, "a first snapshot")
    worker.kill()
    send(settings.brokers, log, [example(n) for n in range(300, 1_200)])
    worker = start_part(settings, "streams")
    until(lambda: snapshot(settings).version > 300, PATIENCE, "some more of it")
    worker.kill()
    start_part(settings, "streams")
    until(
        lambda: (snapshot(settings) or 0) and snapshot(settings).version == 1_200,
        PATIENCE,
        "it all",
    )

    offline = resume("churn")
    offline.learn(
        read_lesson(record.offset, record.value, record.timestamp)
        for record in read_all(settings.brokers, log)
    )
    assert newest(settings.brokers, settings.topic(MODEL_SNAPSHOTS))[b"churn"] == encode(
        offline.snapshot(), KEY
    )


def test_a_worker_predicts_with_the_newest_model_it_trusts(kafka_settings, start_part):
    settings = kafka_settings
    start_part(settings, "streams")
    send(settings.brokers, settings.topic(TOUCHPOINTS), [page_view("ana")])
    until(lambda: score_of(settings, "ana"), PATIENCE, "a score by the prior")
    assert score_of(settings, "ana").model_version == 0

    send(settings.brokers, settings.topic(EXAMPLES), [example(n) for n in range(100)])
    until(lambda: snapshot(settings) and snapshot(settings).version == 100, PATIENCE, "a snapshot")

    def learnt_version():
        user = f"u{time.monotonic_ns()}"
        send(settings.brokers, settings.topic(TOUCHPOINTS), [page_view(user)])
        return until(lambda: score_of(settings, user), PATIENCE, "a score").model_version

    until(lambda: learnt_version() == 100, PATIENCE, "a score by the new model")

    forged = encode(Snapshot(model="churn", version=7, offset=0), b"another secret")
    send(settings.brokers, settings.topic(MODEL_SNAPSHOTS), [(b"churn", forged)])
    for _ in range(3):
        assert learnt_version() == 100
    scores = [
        msgspec.json.decode(record.value, type=Score)
        for record in read_all(settings.brokers, settings.topic(SCORES))
    ]
    used = {made.model_version for made in scores}
    assert used >= {0, 100}
    assert 7 not in used
