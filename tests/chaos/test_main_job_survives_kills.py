"""The whole job under SIGKILL: nothing is lost and nothing is counted twice."""

import json
import random
import threading
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal

import clickhouse_connect
import pytest

from models import customer as customers
from models import topics
from models.judge import Judge
from models.react import Position
from models.replay import replay
from projections.migrate import migrate
from tests.chaos.soak.settle import behind
from tests.support.kafka_log import newest, read_all, send
from tests.support.waiting import until

pytestmark = [pytest.mark.stack, pytest.mark.chaos]

SENT = 12_000
CUSTOMERS = 400
BAD = b'{"type": "order_placed", "total": '


def touchpoints(rng: random.Random) -> list[tuple[bytes, bytes]]:
    """Orders and visits of users, some first seen as anonymous, some twice, some unreadable."""
    made = []
    now = datetime.now(UTC).isoformat()
    for number in range(SENT):
        who = rng.randrange(CUSTOMERS)
        anonymous = number % 3 == 0
        kind, value = ("anonymous_id", f"a{who}") if anonymous else ("user_id", f"u{who}")
        event = {
            "event_id": f"e{number}",
            "occurred_at": now,
            "channel": "web",
            "identifiers": [{"type": kind, "value": value}],
        }
        if number % 2:
            price = {
                "amount": f"{rng.randrange(1, 9_999)}.{rng.randrange(100):02}",
                "currency": "USD",
            }
            event |= {"type": "order_placed", "schema_version": 2}
            event |= {"order_id": f"o{number}", "total": price}
        elif number % 50 == 0:
            event["identifiers"] = [
                {"type": "user_id", "value": f"u{who}"},
                {"type": "anonymous_id", "value": f"a{who}"},
            ]
            event |= {"type": "customer_identified", "schema_version": 1}
        else:
            event |= {"type": "page_viewed", "schema_version": 2, "path": "/"}
        made.append((value.encode(), json.dumps(event).encode()))
        if number % 40 == 0:
            made.append(made[-1])  # a client that sends twice
        if number % 100 == 0:
            made.append((b"broken", BAD))
    return made


def expected(made: list[tuple[bytes, bytes]]) -> dict[str, tuple[int, int, int]]:
    """Return events, orders and cents of each person, counted without any of the product's code.

    A person is user and anonymous id as one if an identify ever joined them.
    """
    events = {e["event_id"]: e for _, raw in made if raw != BAD for e in [json.loads(raw)]}
    joined = {
        e["identifiers"][1]["value"]: e["identifiers"][0]["value"]
        for e in events.values()
        if len(e["identifiers"]) == 2
    }
    totals: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for event in events.values():
        name = event["identifiers"][0]["value"]
        row = totals[joined.get(name, name)]
        row[0] += 1
        if event["type"] == "order_placed":
            row[1] += 1
            row[2] += int(Decimal(event["total"]["amount"]) * 100)
    return {name: tuple(row) for name, row in totals.items()}


def facts(customer: customers.Customer) -> tuple:
    """Return what must not depend on when a process died; scores follow the model of the moment."""
    return (
        customer.profile,
        customer.applied,
        sorted(customer.seen),
        customer.merged_into,
        sorted(customer.absorbed),
    )


def live(settings) -> dict[bytes, customers.Customer]:
    """Return every customer as `profiles` has it now."""
    found = newest(settings.brokers, settings.topic(topics.PROFILES))
    return {key: customers.decode(value) for key, value in found.items()}


def people(settings) -> dict[str, tuple[int, int, int]]:
    """Return events, orders and cents of everybody who is not merged away, as `expected` does."""
    found = {}
    for customer in live(settings).values():
        profile = customer.profile
        if customer.merged_into is None:
            names = sorted(name.split(":", 1)[1] for name in profile.identifiers)
            row = (profile.events, profile.orders, profile.revenue.get("USD", 0))
            found[names[-1]] = row  # "u…" sorts after "a…"
    return found


def kill_while_feeding(settings, start_part, made, rng: random.Random) -> None:
    """Send everything, killing the worker six times and the projection three times meanwhile."""
    ended = threading.Event()

    def feed() -> None:
        for start in range(0, len(made), 250):
            send(settings.brokers, settings.topic(topics.TOUCHPOINTS), made[start : start + 250])
            ended.wait(0.6)

    worker, project = start_part(settings, "streams"), start_part(settings, "projections")
    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        for turn in range(6):
            ended.wait(rng.uniform(3, 9))
            worker.kill()
            worker = start_part(settings, "streams")
            if turn % 2:
                project.kill()
                project = start_part(settings, "projections")
    finally:
        ended.set()  # the rest goes at once
        feeder.join()


def test_kills_in_mid_stream_change_no_profile_and_no_table(stack_settings, start_part):
    settings, rng = stack_settings, random.Random(20_261)
    migrate(settings)
    made = touchpoints(rng)
    kill_while_feeding(settings, start_part, made, rng)

    wanted = expected(made)
    until(lambda: people(settings) == wanted, 300, "every person as counted from what was sent")
    # What changes nobody, as what a client sent twice, may still wait in another partition.
    until(lambda: not behind(settings)[0], 60, "all is folded")

    log = [
        (Position("events", record.partition, record.offset), record.value)
        for record in read_all(settings.brokers, settings.topic(topics.EVENTS))
    ]
    offline = replay(log, Judge.untrained())
    profiles = live(settings)
    assert {key.decode(): facts(one) for key, one in profiles.items()} == {
        key: facts(one) for key, one in offline.items()
    }

    letters = read_all(settings.brokers, settings.topic(topics.DEAD_LETTERS))
    assert all(letter.value == BAD for letter in letters)
    sources = {dict(letter.headers)["source"] for letter in letters}
    assert len(sources) == sum(raw == BAD for _, raw in made)

    client = clickhouse_connect.get_client(
        dsn=settings.clickhouse_url,
        username=settings.clickhouse_user,
        password=settings.clickhouse_password.get_secret_value(),
        database=settings.clickhouse_database,
    )
    ids = {json.loads(raw)["event_id"] for _, raw in made if raw != BAD}
    counted = (len(ids), len(ids), Decimal(sum(cents for _, _, cents in wanted.values())) / 100)
    events = "SELECT count(), uniqExact(event_id), sum(amount) FROM touchpoints FINAL"
    until(lambda: client.query(events).first_row == counted, 60, "every event in ClickHouse, once")
    rows = {
        (key.decode(), one.profile.events, one.profile.orders)
        for key, one in profiles.items()
        if one.merged_into is None
    }
    shown = "SELECT customer_id, events, orders FROM profiles FINAL WHERE merged_into = ''"
    until(lambda: set(client.query(shown).result_rows) == rows, 60, "every profile as it is")
