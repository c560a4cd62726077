"""`c360 simulate` against the real ingest: a past, a present, and customers that answer offers."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime

import httpx
import msgspec
import pytest

from infra.settings import Settings
from infra.simulator.people import person
from models.events import Identifier, IdentifierType
from models.identity import customer_id_of
from models.records import Decision
from models.topics import DECISIONS, TOUCHPOINTS
from tests.support.kafka_log import read_all, send
from tests.support.waiting import until

pytestmark = pytest.mark.stack
WORLD = ("--customers", "40", "--history", "60", "--seed", "3")


def simulate(settings: Settings, *arguments: str) -> subprocess.Popen:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("C360_")}
    return subprocess.Popen(
        [sys.executable, "-m", "infra.cli", "simulate", *WORLD, *arguments],
        env=clean | settings.environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(running: subprocess.Popen) -> str:
    said, _ = running.communicate(timeout=120)
    assert running.returncode == 0, said
    assert "Traceback" not in said
    return said


def sent(settings: Settings) -> list[dict]:
    records = read_all(settings.kafka, settings.topic(TOUCHPOINTS))
    return [json.loads(record.value) for record in records]


@pytest.fixture
def settings(kafka_settings, start_part):
    start_part(kafka_settings, "streams.ingest")
    health = f"http://127.0.0.1:{kafka_settings.ingest_port}/healthz"

    def up() -> bool:
        try:
            return httpx.get(health).is_success
        except httpx.TransportError:
            return False

    until(up)
    return kafka_settings


def test_the_past_is_sent_once_and_the_present_goes_on_with_the_same_customers(settings):
    finish(simulate(settings, "--for", "0.1", "--no-offers"))
    past = sent(settings)
    assert len(past) > 100
    begun = time.time()
    finish(simulate(settings, "--for", "2", "--rate", "30", "--no-offers"))
    both = sent(settings)
    fresh = both[len(past) :] if both[: len(past)] == past else [e for e in both if e not in past]
    assert fresh
    times = [datetime.fromisoformat(event["occurred_at"]).timestamp() for event in fresh]
    assert sum(at > begun for at in times) >= len(times) - 3  # but for a bad one now and then
    ids = Counter(event["event_id"] for event in both)
    assert sum(count - 1 for count in ids.values()) <= 0.03 * len(both)  # the deliberate repeats


def test_customers_answer_the_offer_that_was_decided_for_them(settings):
    finish(simulate(settings, "--for", "0.1", "--no-offers"))
    now_ms = time.time_ns() // 1_000_000
    running = simulate(settings, "--rate", "60")
    before = len(sent(settings))
    until(lambda: len(sent(settings)) > before, what="the present")  # it follows decisions by then
    for index in range(40):
        user = person(3, index, 0).user_id
        customer = customer_id_of(Identifier(type=IdentifierType.USER_ID, value=user))
        decision = Decision(
            decision_id=f"d-{index}",
            customer_id=customer,
            at_ms=now_ms,
            expires_ms=now_ms + 3_600_000,
            cause="test",
            offer="upgrade" if index else "none",
            propensity=1.0,
            propensities={"upgrade": 1.0},
            model_version=0,
            policy="test",
        )
        value = msgspec.json.encode(decision)
        send(settings.kafka, settings.topic(DECISIONS), [(customer.encode(), value)])

    def answers() -> list[dict]:
        return [event for event in sent(settings) if event["type"].startswith("offer_")]

    def enough() -> bool:
        kinds = Counter(event["type"] for event in answers())
        return kinds["offer_shown"] >= 5 and len(kinds) > 1  # not everybody answers

    until(enough, what="offers shown, and answered")
    running.send_signal(signal.SIGTERM)
    finish(running)
    assert {event["offer"] for event in answers()} == {"upgrade"}
    decided = {event["decision_id"] for event in answers()}
    assert decided <= {f"d-{index}" for index in range(1, 40)}


def test_no_ingest_and_a_wrong_key_are_sentences_with_what_to_do(settings):
    wrong = settings.model_copy(
        update={"write_keys": type(settings.write_keys)("x=nobodys-key-at-all")}
    )
    running = simulate(wrong, "--for", "1", "--no-offers")
    said, _ = running.communicate(timeout=120)
    assert running.returncode == 1
    assert "does not know the write key" in said
    assert "Traceback" not in said
