"""`c360 up --workers 2`, whole: the work is shared, and a kill or another number loses nothing."""

import json
import signal

import clickhouse_connect
import psutil
import pytest

from infra.local import ports
from infra.settings import Settings
from tests.support.up import Shoppers, Up, running
from tests.support.waiting import until

pytestmark = pytest.mark.stack

PARTITIONS = 4
SECRETS = {
    "clickhouse_password": "workers-clickhouse",
    "analyst_password": "workers-analyst",
    "write_keys": "shop=workers-write-key",
    "api_keys": "desk=workers-api-key",
    "snapshot_secret": "workers-snapshots",
    "webhook_secret": "whsec_d29ya2Vycy13ZWJob29rLXNlY3JldA==",
}
OWN = ("kafka", "clickhouse", "clickhouse_native", "ingest", "serve")


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workers")
    own = {f"{name}_port": ports.free_port() for name in OWN}
    settings = Settings.model_validate(
        SECRETS
        | own
        | {
            "home": folder / "home",
            "partitions": PARTITIONS,
            "worker_port": ports.free_port(following=2),
        }
    )
    with running(settings, "--workers", "2") as up:
        yield up


def workers(up: Up) -> dict[str, list[int]]:
    """Return each worker's partitions of the log, as `c360 status` tells them; none at first.

    It asks Kafka, and does not wait long for the answer.
    """
    told = json.loads(up.c360("status", "--json").stdout)["workers"] or []
    return {one["instance"]: one["partitions"]["fold"] for one in told}


def shared_by(up: Up, *names: str) -> bool:
    """Whether these workers, and no others, have all partitions, as evenly as can be."""
    now = workers(up)
    sizes = [len(has) for has in now.values()]
    return (
        set(now) == set(names)
        and sorted(number for has in now.values() for number in has) == list(range(PARTITIONS))
        and max(sizes) - min(sizes) <= 1
    )


def orders_in_tables(up: Up) -> tuple[int, int]:
    """Return orders and different orders that an analyst counts."""
    client = clickhouse_connect.get_client(
        dsn=up.settings.clickhouse_url,
        username=up.settings.clickhouse_user,
        password=up.settings.clickhouse_password.get_secret_value(),
        database=up.settings.clickhouse_database,
    )
    try:
        query = "SELECT count(), uniqExact(event_id) FROM touchpoints FINAL"
        return client.query(query).first_row
    finally:
        client.close()


def test_two_workers_share_the_work_and_a_kill_or_another_number_loses_nothing(up):
    until(lambda: shared_by(up, "w0", "w0-2"), 120, "two share the partitions")
    with Shoppers(up, "crew").buying() as shoppers, up.api() as api:
        until(lambda: shoppers.told(api) > 30, 60, "orders reach their profiles")
        before = up.pids()

        psutil.Process(before["worker-2"]).send_signal(signal.SIGKILL)
        until(lambda: up.pids().get("worker-2", before["worker-2"]) != before["worker-2"], 60)
        up.wait_ready()
        after = up.pids()
        assert {n for n in after if after[n] != before[n]} == {"worker-2"}, "only the one"
        until(lambda: shared_by(up, "w0", "w0-2"), 120, "two share them again")

        done = up.c360("workers", "3")
        assert done.returncode == 0, done.stderr
        until(lambda: shared_by(up, "w0", "w0-2", "w0-3"), 120, "three share them")

        done = up.c360("workers", "1")
        assert done.returncode == 0, done.stderr
        until(lambda: shared_by(up, "w0"), 120, "one has them all")
        assert up.pids()["worker"] == before["worker"]
        assert "worker-2" not in up.parts()

        acknowledged = shoppers.acknowledged
        until(lambda: shoppers.told(api) > acknowledged, 60, "orders after it")
    with up.api() as api:
        until(lambda: shoppers.told(api) >= shoppers.acknowledged, 60, "every order in a profile")
        assert shoppers.told(api) == shoppers.acknowledged
    every = (shoppers.acknowledged,) * 2
    until(lambda: orders_in_tables(up) == every, 60, f"every order in ClickHouse, once: {every}")


def test_more_workers_than_partitions_and_none_are_refused(up):
    done = up.c360("workers", "9")
    assert done.returncode == 1
    assert "9 workers would share 4 partitions" in done.stderr
    assert up.c360("workers", "0").returncode == 2


def test_doctor_finds_nothing_wrong_while_several_run(up):
    done = up.c360("doctor", "--json")
    wrong = [one for one in json.loads(done.stdout)["findings"] if one["verdict"] == "wrong"]
    assert wrong == []


def test_without_c360_up_there_is_nothing_to_resize(up, tmp_path):
    settings = up.settings.model_copy(update={"home": tmp_path})
    elsewhere = Up.__new__(Up)
    elsewhere.settings = settings
    done = elsewhere.c360("workers", "2")
    assert done.returncode == 1
    assert "no `c360 up` with a worker is running" in done.stderr
