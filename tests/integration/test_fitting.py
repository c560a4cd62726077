"""The population is fitted beside a real worker, and the worker scores with what was found."""

import asyncio
import json
import os
import subprocess
import sys
import time

import pytest

from infra.fit import standing
from infra.fit.job import Job
from models.customer import Customer, encode
from models.customer import decode as read_customer
from models.features import features
from models.online.scaling import sigmoid
from models.online.shares import PRIOR
from models.population import DEFAULT
from models.population import decode as read_population
from models.rhythm import DAY_MS
from models.topics import EXAMPLES, MODEL_SNAPSHOTS, PROFILES, TOUCHPOINTS
from models.visits import Rhythm
from tests.support.kafka_log import newest, read_all, send
from tests.support.waiting import until
from tests.unit.test_fitting import customers as simulate

pytestmark = pytest.mark.stack

PATIENCE = 120


def people(count):
    now = time.time_ns() // 1_000_000
    for n, (repeats, last, age) in enumerate(
        zip(*simulate(count, 1.2, 5.0, 0.7, 2.5), strict=True)
    ):
        first = now - int(age * DAY_MS)
        rhythm = Rhythm(int(repeats) + 1, first, first + int(last * DAY_MS))
        # Below every timer: nobody is woken by the worker.
        one = Customer(customer_id=f"c_{n:020d}", rhythm=rhythm, clock_ms=now, received_ms=now)
        yield one.customer_id.encode(), encode(one)


def fitted(settings):
    value = newest(settings.brokers, settings.topic(MODEL_SNAPSHOTS)).get(b"population")
    return value is not None


def c360(settings, *words):
    return subprocess.run(
        [sys.executable, "-m", "infra.cli", *words],
        env=settings.environ() | {"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_fit_is_appended_once_a_day_and_workers_score_with_it(kafka_settings, start_part):
    settings = kafka_settings
    refused = c360(settings, "models", "fit")
    assert refused.returncode == 1
    assert "0 customers; 200 are needed" in refused.stderr

    send(settings.brokers, settings.topic(PROFILES), list(people(1_500)))
    tried = c360(settings, "models", "fit", "--dry-run", "--json")
    assert tried.returncode == 0, tried.stderr
    assert json.loads(tried.stdout)["population"]["customers"] == 1_500
    assert not list(read_all(settings.brokers, settings.topic(EXAMPLES)))

    start_part(settings, "streams")
    now_ms = time.time_ns() // 1_000_000
    job = Job(settings)
    asyncio.run(job.step(now_ms))  # nobody knows yet whether many are to come
    asyncio.run(job.step(now_ms))
    until(lambda: fitted(settings), PATIENCE, "a snapshot of the population")
    assert asyncio.run(standing.read(settings)).population.fitted_ms == now_ms
    asyncio.run(job.step(now_ms + DAY_MS - 1))  # not due
    (command,) = read_all(settings.brokers, settings.topic(EXAMPLES))
    population = read_population(json.dumps(json.loads(command.value)["population"]).encode())
    assert population.contacts != DEFAULT.contacts

    def by_what_was_fitted():
        """Return a newcomer who was scored with it: a worker reads it a moment later."""
        one = newcomer(settings, f"u{time.monotonic_ns()}")
        prior = sigmoid(features(one, one.risk.at_ms, settings.horizon_days)[PRIOR])
        return one if abs(one.risk.probability - prior) > 1e-4 else None

    customer = until(by_what_was_fitted, PATIENCE, "a score with what was fitted")
    ours = features(customer, customer.risk.at_ms, settings.horizon_days, population)[PRIOR]
    assert customer.risk.probability == pytest.approx(sigmoid(ours), abs=1e-6)  # six decimals


def newcomer(settings, user):
    """Let somebody come for the first time; return the customer once there is a score."""
    event = {
        "type": "page_viewed", "event_id": user, "path": "/",
        "identifiers": [{"type": "user_id", "value": user}],
    }  # fmt: skip
    message = (user.encode(), json.dumps(event).encode())
    send(settings.brokers, settings.topic(TOUCHPOINTS), [message])

    def scored():
        for value in newest(settings.brokers, settings.topic(PROFILES)).values():
            customer = read_customer(value)
            if f"user_id:{user}" in customer.profile.identifiers and customer.risk is not None:
                return customer
        return None

    return until(scored, PATIENCE, "a score")


def test_the_part_ends_well_when_it_is_told_to(kafka_settings, start_part):
    part = start_part(kafka_settings, "infra.fit")
    until(lambda: b"every 24 hours" in part.log.read_bytes(), PATIENCE, part.tail())
    part.process.terminate()
    assert part.process.wait(120) == 0, part.tail()
