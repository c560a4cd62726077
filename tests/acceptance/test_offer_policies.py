"""Customers, decisions, what became of them, and what other policies would have earned."""

import json
import random
import re
import subprocess
import sys
from contextlib import closing
from itertools import pairwise

import clickhouse_connect
import httpx
import pytest

from infra.admin import create_topics
from projections.migrate import migrate
from tests.conftest import clickhouse_address
from tests.support.waiting import until

pytestmark = pytest.mark.stack

CUSTOMERS = 2_000
AT_ONCE = 500
MARGIN = 4.0
# Half of all draws are even among the arms, so whatever the model learns meanwhile, the log knows
# what each arm does. The window is long enough to buy in, and short enough to wait for.
WINDOW_SECONDS = 60
CATALOGUE = f"""
[policy]
valid_days = {WINDOW_SECONDS / 86_400:.9f}
none_value = 4
floor = 0.5
holdout = 0.1
[[offers]]
id = "tea"
name = {{ en = "Tea", ko = "차" }}
channels = ["email", "web"]
value = 4
cost = 0.2
[[offers]]
id = "cup"
name = {{ en = "Cup", ko = "잔" }}
channels = ["email"]
value = 4
cost = 0.1
"""
BUYS = {"none": 0.1, "tea/email": 0.5, "tea/web": 0.3, "cup/email": 0.15}
COST = {"none": 0.0, "tea/email": 0.2, "tea/web": 0.2, "cup/email": 0.1}
WORTH = {arm: MARGIN * chance - COST[arm] for arm, chance in BUYS.items()}
UNIFORM = sum(WORTH.values()) / len(WORTH)


def event(type, number, **fields):
    return {
        "type": type,
        "schema_version": 2,
        "event_id": f"{type}-{number}",
        "identifiers": [{"type": "email", "value": f"{number}@example.com"}],
        "channel": "web",
        **fields,
    }


def bought(number):
    money = {"currency": "USD"}
    return event(
        "order_placed",
        number,
        order_id=f"o{number}",
        total=money | {"amount": "20.00"},
        margin=money | {"amount": f"{MARGIN:.2f}"},
    )


@pytest.fixture
def shop(make_settings, broker, clickhouse_server, start_part, tmp_path):
    """The parts that decisions and outcomes pass, with offers of their own."""
    offers = tmp_path / "offers.toml"
    offers.write_text(CATALOGUE)
    settings = make_settings(
        kafka=broker, offers_file=offers, **clickhouse_address(clickhouse_server)
    )
    create_topics(settings)
    migrate(settings)
    for part in ("streams", "streams.ingest", "projections"):
        start_part(settings, part)
    ingest = httpx.Client(
        base_url=f"http://127.0.0.1:{settings.ingest_port}", auth=("test-write-key", ""), timeout=40
    )
    tables = clickhouse_connect.get_client(
        dsn=settings.clickhouse_url,
        username=settings.clickhouse_user,
        password=settings.clickhouse_password.get_secret_value(),
        database=settings.clickhouse_database,
    )
    with closing(ingest), closing(tables):
        until(lambda: healthy(ingest), 150, "ingest answers")
        yield settings, ingest, tables


def healthy(ingest):
    try:
        return ingest.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False


def send(ingest, events):
    for at in range(0, len(events), AT_ONCE):
        answer = ingest.post("/v1/events", json=events[at : at + AT_ONCE])
        assert answer.status_code == 200, answer.text
        assert {one["status"] for one in answer.json()["verdicts"]} == {"accepted"}


def c360(settings, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "infra.cli", *arguments],
        env=settings.environ() | {"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_a_marketer_sees_what_other_policies_would_have_earned(shop):
    settings, ingest, tables = shop
    rng = random.Random(5)
    people = list(range(CUSTOMERS))
    # A few at a time, so that the windows of all end in time to be bought in; the first one
    # alone, as his may end while parts still start.
    answered = set()
    for begin, end in pairwise((0, 1, *range(AT_ONCE, CUSTOMERS + 1, AT_ONCE))):
        send(ingest, [event("page_viewed", number, path="/") for number in people[begin:end]])
        decided = until(lambda due=end: enough(tables, due), 120, f"{end} decisions")
        orders = []
        for decision, arm, number in decided:
            if decision not in answered:
                answered.add(decision)
                if rng.random() < BUYS[arm]:
                    orders.append(bought(number))
        send(ingest, orders)
    ended = "SELECT count(), countIf(holdout = 1) FROM outcomes FINAL"
    until(lambda: rows(tables, ended)[0][0] >= CUSTOMERS, 240, "the outcome of each decision")
    [(outcomes, controls)] = rows(tables, ended)
    assert outcomes == CUSTOMERS
    assert 0.06 * CUSTOMERS < controls < 0.14 * CUSTOMERS

    done = c360(settings, "models", "evaluate", "--policy", "uniform", "--policy", "thompson",
                "--policy", "fixed:tea/email", "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["made"], told["ended"], told["control"]) == (CUSTOMERS, CUSTOMERS, controls)
    assert told["judged"] == told["customers"] == CUSTOMERS - controls
    uniform, thompson, tea = told["policies"]
    assert uniform["refused"] is None
    for name in ("ips", "snips", "dr"):
        assert near(uniform["estimates"][name], UNIFORM), name
    # The policy that runs, judged by its own log, is that log: no weight is far from 1. The doubly
    # robust value is as right, but not the same: it expects of all offers what one brought by luck.
    assert thompson["largest"] == pytest.approx(1.0, abs=0.05)
    logged = told["logged"]["value"]
    assert thompson["estimates"]["snips"]["value"] == pytest.approx(logged, abs=0.02)
    assert near(thompson["estimates"]["dr"], logged)
    if tea["refused"] is None:
        assert near(tea["estimates"]["dr"], WORTH["tea/email"])
    else:
        assert "effective sample" in tea["refused"]
    lift = told["lift"][""]
    if controls >= 100:
        assert lift["low"] < lift["lift"] < lift["high"]
    assert lift["offered"] + lift["control"] == CUSTOMERS

    shown = c360(settings, "models", "evaluate")
    assert shown.returncode == 0, shown.stderr
    assert re.search(r"uniform\s+\d\.\d{3}", shown.stdout), shown.stdout
    assert "all offers" in shown.stdout


def near(estimate, truth):
    """Within four standard errors."""
    return abs(estimate["value"] - truth) <= estimate["high"] - estimate["low"]


def enough(tables, due):
    found = rows(
        tables,
        "SELECT decision_id, arm, toUInt32(splitByChar('-', cause)[2]) FROM decisions FINAL",
    )
    return found if len(found) >= due else None


def rows(tables, sql):
    return tables.query(sql).result_rows
