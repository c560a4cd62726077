"""The migrations build exactly what the code writes, on the real ClickHouse."""

import hashlib
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from models.rhythm import CONTACTS
from projections.client import connect
from projections.migrate import FOLDER, MigrationFailedError, migrate, pending
from projections.tables import TABLES
from projections.views import ANALYST_VIEWS

pytestmark = pytest.mark.stack

HANDBOOK = Path(__file__).parents[2] / "docs" / "tables.md"
# A change is a new file: add its line, never edit one.
PUBLISHED = {
    "0001_touchpoints.sql": "e173bcdf608f43258d871990fe7b5d87844a12396b769dd2c8dff94867bdd0b2",
    "0002_profiles.sql": "535077bf32ce1614110b5939b0e3a9be6f8d202dc3b218303186331f79ef01d3",
    "0003_ledgers.sql": "79d91dc36e1ed0add11991621fd51165a7cfe85bb9024dc6c7f320a1bd2f8e3b",
    "0004_dead_letters.sql": "33aa7d7ef4e8e37b3d0ac86663a2d3ddef54773665beb3151d3035b1eabbf665",
    "0005_views.sql": "af0c00984323bf01653831bd5575d3da01b321c30d388be1d63c7468cd70b4d0",
    "0006_analyst_views.sql": "c337cc0b73129e73d5d08dd5994dde359c548ab9275abe51394241f13c358bd6",
    "0007_log.sql": "94d591869f877d9baa87d5213ac7c4f1c05ca4b9d04ee2220b922b7ee184c7fa",
    "0008_identity.sql": "f90fcf6c4f961e1f8259016a8985d33dddcadd5444a7b08a16977ec8c66beec9",
    "0009_identities.sql": "1f69db74f808ab70af9b32f387e823804cbfc3bf44601535a4d5ed72e0e9dddf",
    "0010_complete.sql": "b43a8facbcf8a806d21151647c0017e900797a5e7ebff27f6511d8fbf3357fd5",
    "0011_models.sql": "18956339b6d3c60c7487a31d0b6594e9c402a33302a40b82b935002460a7a130",
    "0012_outcomes.sql": "4e0a194ec09e05b8ab3d1f5080e9cbaeac0236a221d36bd5511c3e8b0fd3e5a2",
    "0013_traits.sql": "53eb2281a20fab3b582ee04ce1e1acdb339e4b526f321465f4f7da962459df00",
    "0014_reasons.sql": "073d639adde4721c9f2124e019519f10414eb4d3252067e0d35923bc0f04e284",
    "0015_resends.sql": "59b0a2353e5181007ba5a927c9f6fa5eeacd12b9e544484f1175f4530f7a6e84",
    "0016_model_alerts.sql": "b16da7cc28a756fa530d37b7ce06d82f643d4dd4bce789cc3f0d72b36645f863",
    "0017_churn_horizon.sql": "c6c91e913ae27d9c6c6aaa0f67a310592cf98a4c19e6ee05595d2dc5ccdd515e",
    "0018_temper.sql": "6533036c4e6741b053ad34e6ec20a869367c83f3ea6f5b8487f8abf9519fcdf8",
    "0019_value_migration.sql": "13d0fd20225834c1e587d8126635a1687ec14c72f35f896807944b68b0f8bcd0",
    "0020_frequency.sql": "a23dbb856b19e439413256eeb6c42d271b2086b90696d8acda10cec1489a12ee",
    "0021_undefined.sql": "8f9210b9a3c139f9e35bbfa6dac13df72c88631312be1e0a0dfd011862797254",
    "0022_in_utc.sql": "a0920546ea61b04547991debf9d0424c2503af3c87ccb253595008f51ef66fa0",
}


@pytest.fixture
def database(clickhouse):
    migrate(clickhouse)
    with connect(clickhouse) as client:
        yield client


def test_no_view_means_another_day_where_the_server_stands_in_another_zone(database):
    local = database.query(
        "SELECT name FROM system.tables WHERE database = currentDatabase() "
        "AND match(create_table_query, '(?i)\\\\b(today|yesterday|curdate|current_date)\\\\(')"
    ).result_rows
    assert local == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_migrations_build_the_table_the_code_writes(database, table):
    columns = database.query(
        "SELECT name, type, comment, default_kind FROM system.columns "
        "WHERE database = currentDatabase() AND table = {table:String} ORDER BY position",
        {"table": table.name},
    ).result_rows
    written = [(name, type_) for name, type_, _, kind in columns if kind != "MATERIALIZED"]
    assert dict(written) == table.columns
    assert tuple(name for name, _ in written) == table.names
    made = [name for name, _, _, kind in columns if kind == "MATERIALIZED"]
    assert made == (["precedence"] if table.keeps_first else [])
    assert [name for name, _, comment, _ in columns if not comment] == []
    [(engine, order, partition, comment)] = database.query(
        "SELECT engine_full, sorting_key, partition_key, comment FROM system.tables "
        "WHERE database = currentDatabase() AND name = {table:String}",
        {"table": table.name},
    ).result_rows
    assert engine.startswith(f"{table.engine} ")
    assert "non_replicated_deduplication_window = 10000" in engine
    assert (order, partition) == (table.order_by, table.partition_by)
    assert comment


def test_every_view_answers_and_says_what_it_is(database):
    views = dict(
        database.query(
            "SELECT name, comment FROM system.tables "
            "WHERE database = currentDatabase() AND engine = 'View'"
        ).result_rows
    )
    assert set(ANALYST_VIEWS) < set(views)
    assert all(views.values())
    for name in views:
        database.query(f"SELECT * FROM {name} LIMIT 1")


def test_the_handbook_names_every_table_and_view_and_its_queries_run(database):
    text = HANDBOOK.read_text()
    named = {table.name for table in TABLES} | set(ANALYST_VIEWS)
    assert {name for name in named if f"| `{name}` |" not in text} == set()
    for part in text.split("```sql\n")[1:]:
        database.query(part.split("```")[0])


def test_a_published_migration_is_never_edited():
    found = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(FOLDER.glob("*.sql"))
    }
    assert found == PUBLISHED


def test_retention_counts_the_contacts_that_profiles_count():
    texts = [file.read_text() for file in sorted(FOLDER.glob("*.sql"))]
    newest = [text for text in texts if "VIEW retention_by_cohort" in text][-1]
    named = newest.split("VIEW retention_by_cohort")[1].split("WHERE type IN (")[1].split(")")[0]
    assert {word.strip(" '\n") for word in named.split(",")} == CONTACTS


def test_a_migration_is_applied_once(clickhouse):
    names = pending(clickhouse)
    assert names == sorted(PUBLISHED)
    assert migrate(clickhouse) == names
    assert (pending(clickhouse), migrate(clickhouse)) == ([], [])


def test_an_edited_migration_is_refused(clickhouse, tmp_path):
    folder = tmp_path / "migrations"
    shutil.copytree(FOLDER, folder)
    migrate(clickhouse, folder)
    with (folder / "0002_profiles.sql").open("a") as file:
        file.write("-- one more line\n")
    with pytest.raises(MigrationFailedError, match=r"0002_profiles.*md5-mismatch"):
        migrate(clickhouse, folder)


def test_refused_sql_is_told_and_what_came_before_stays(clickhouse, tmp_path):
    folder = tmp_path / "migrations"
    shutil.copytree(FOLDER, folder)
    (folder / "9999_wrong.sql").write_text("CREATE TABLE nonsense")
    with pytest.raises(MigrationFailedError):
        migrate(clickhouse, folder)
    assert pending(clickhouse, folder) == ["9999_wrong.sql"]


def test_two_runs_at_once_apply_each_migration_once(clickhouse):
    applied = []
    runs = [threading.Thread(target=lambda: applied.append(migrate(clickhouse))) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert sorted(map(len, applied)) == [0, len(PUBLISHED)]


def test_the_lock_goes_from_run_to_run(clickhouse):
    migrate(clickhouse)
    with ThreadPoolExecutor(4) as runs:
        applied = list(runs.map(lambda _: migrate(clickhouse), range(60)))
    assert applied == [[]] * 60
