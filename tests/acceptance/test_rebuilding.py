"""F7 on the whole running system: everything is made anew from the log while customers go on
buying, what was spoilt is found and put right, and no webhook is delivered again.
"""

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from infra.local import ports
from infra.rebuild import state, workers
from infra.settings import Settings
from models.customer import decode, encode
from models.events import Identifier
from models.identity import customer_id_of, normalise
from models.placing import java_hash
from models.topics import ALERTS, PROFILES
from streams.lane.restore import Copy
from streams.lane.store import MemoryStore
from tests.support.kafka_log import read_all
from tests.support.receiver import receiving
from tests.support.up import Shoppers, Up, running
from tests.support.waiting import until

pytestmark = pytest.mark.stack

WEBHOOK_SECRET = "whsec_cmVidWlsZC13ZWJob29rLXNlY3JldA=="
SECRETS = {
    "clickhouse_password": "rebuild-clickhouse",
    "analyst_password": "rebuild-analyst",
    "write_keys": "shop=rebuild-write-key",
    "api_keys": "desk=rebuild-api-key",
    "snapshot_secret": "rebuild-snapshots",
    "webhook_secret": WEBHOOK_SECRET,
}
OWN = ("kafka", "clickhouse", "clickhouse_native", "ingest", "serve", "worker")
SILENT = 6  # customers who bought each week, and fell silent


@pytest.fixture(scope="module")
def receiver():
    with receiving(WEBHOOK_SECRET) as receiver:
        yield receiver


@pytest.fixture(scope="module")
def up(tmp_path_factory, receiver):
    folder = tmp_path_factory.mktemp("rebuilding")
    given = {
        **SECRETS,
        **{f"{name}_port": ports.free_port() for name in OWN},
        "home": folder / "home",
        "partitions": 2,
        "webhook_url": receiver.url,
        "webhook_allow_private": True,
        "webhook_max_age_hours": 100_000,
        "backfill_grace_seconds": 1,
    }
    with running(Settings.model_validate(given)) as up:
        yield up


def order(user: str, number: int, at: datetime) -> dict:
    return {
        "type": "order_placed",
        "schema_version": 2,
        "event_id": f"{user}-{number}",
        "occurred_at": at.isoformat(),
        "identifiers": [{"type": "user_id", "value": user}],
        "channel": "web",
        "order_id": f"{user}-{number}",
        "total": {"amount": "40.00", "currency": "USD"},
    }


def buy_and_fall_silent(up: Up) -> None:
    start = datetime.now(UTC) - timedelta(days=200)
    with up.ingest() as client:
        for user in range(SILENT):
            weeks = [order(f"silent-{user}", n, start + timedelta(days=7 * n)) for n in range(16)]
            assert client.post("/v1/events", json=weeks).status_code == 200


def spoil(up: Up, user: str) -> str:
    """Alter a customer's live profile behind the worker's back; return the customer's id."""
    settings = up.settings
    id = customer_id_of(normalise(Identifier(type="user_id", value=user)))
    partition = java_hash(id.encode()) % settings.partitions
    with workers.stopped(settings, print):
        copy = Copy(MemoryStore())
        asyncio.run(state.follow(settings, PROFILES, partition, copy))
        live = decode(copy.store.contents[id.encode()])
        spoilt = replace(live, profile=replace(live.profile, orders=999, revenue={"USD": 1}))
        changes = {id.encode(): encode(spoilt)}
        state.write(settings, PROFILES, partition, changes, copy.store.stamp.epoch)
    return id


def c360(up: Up, *arguments: str, code: int = 0) -> dict:
    """Run a command; return what it says as JSON."""
    done = up.c360(*arguments, "--json")
    assert done.returncode == code, (arguments, done.stdout[-2_000:], done.stderr[-2_000:])
    return json.loads(done.stdout)


def test_f7_everything_is_made_anew_under_load_and_no_webhook_is_delivered_again(up, receiver):
    buy_and_fall_silent(up)
    until(lambda: len(receiver.accepted()) >= SILENT, 120, "an alert for each silent customer")
    with Shoppers(up, "busy").buying() as shoppers, up.api() as api:
        until(lambda: shoppers.told(api) > 30, 60, "orders reach their profiles")
        assert c360(up, "verify")["equal"]

        tables = c360(up, "rebuild", "clickhouse")
        assert tables["different"] == 0
        assert c360(up, "rebuild", "profiles")["equal"]
        assert c360(up, "rebuild", "identity", "--swap")["regrouped"] == {}
        learnt = c360(up, "rebuild", "models", "--swap")
        assert learnt
        assert all(one["equal"] for one in learnt)

        id = spoil(up, "silent-0")
        wrong = c360(up, "verify", "profiles", code=1)
        named = [one["what"] for check in wrong["checks"] for one in check["differences"]]
        assert named == [id]
        assert c360(up, "rebuild", "profiles", "--swap")["written"] == 1
        silent = "/v1/profiles/user_id:silent-0"
        until(lambda: api.get(silent).json()["computed"]["orders"] == 16, 60, "read as it is")

        acknowledged = shoppers.acknowledged
        until(lambda: shoppers.told(api) > acknowledged, 60, "orders after it")
        assert c360(up, "verify")["equal"]
    with up.api() as api:
        until(lambda: shoppers.told(api) >= shoppers.acknowledged, 60, "every order in a profile")
        assert shoppers.told(api) == shoppers.acknowledged
    raised = {record_id(one) for one in read_all(up.settings.brokers, up.settings.topic(ALERTS))}
    until(lambda: set(receiver.accepted()) >= raised, 60, "every alert delivered")
    assert max(Counter(receiver.accepted()).values()) == 1, "each once"


def record_id(record) -> str:
    return json.loads(record.value)["alert_id"]
