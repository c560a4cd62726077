"""`c360 ingest` against a real broker: every row on the log once, whatever happens to it."""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.settings import Settings
from tests.support.kafka_log import read_all

pytestmark = pytest.mark.stack
START = datetime(2026, 3, 1, tzinfo=UTC)


def view(number: int) -> dict:
    return {
        "type": "page_viewed",
        "occurred_at": (START + timedelta(minutes=number)).isoformat(),
        "identifiers": [{"type": "user_id", "value": f"u-{number % 97}"}],
        "path": f"/{number}",
    }


def write(path: Path, events: list) -> Path:
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


def command(settings: Settings, *arguments: object) -> tuple[list[str], dict[str, str]]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("C360_")}
    words = [sys.executable, "-m", "infra.cli", "ingest", *map(str, arguments)]
    return words, clean | settings.environ()


def ingest(settings: Settings, *arguments: object) -> subprocess.CompletedProcess:
    words, environ = command(settings, *arguments)
    return subprocess.run(words, env=environ, capture_output=True, text=True, timeout=120)


def on_the_log(settings: Settings) -> list:
    return read_all(settings.kafka, settings.topic_prefix + "touchpoints")


def paths_of(settings: Settings) -> Counter:
    return Counter(json.loads(record.value)["path"] for record in on_the_log(settings))


def test_an_import_killed_again_and_again_leaves_every_row_on_the_log_once(
    kafka_settings, tmp_path
):
    rng = random.Random(360)
    rows = 60_000
    file = write(tmp_path / "views.jsonl", [view(number) for number in range(rows)])
    kills = 0
    for _ in range(4):
        words, environ = command(kafka_settings, file)
        running = subprocess.Popen(words, env=environ, stderr=subprocess.DEVNULL)
        before = progress(kafka_settings)
        # A kill comes at any moment after the import has got somewhere, long before its end.
        while running.poll() is None and progress(kafka_settings) == before:
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.02))
        kills += running.poll() is None
        running.kill()
        running.wait()
    finished = ingest(kafka_settings, file, "--json")
    assert finished.returncode == 0, finished.stderr
    assert kills >= 2
    assert json.loads(finished.stdout)[0]["accepted"] == rows
    assert paths_of(kafka_settings) == Counter(f"/{number}" for number in range(rows))


def progress(settings: Settings) -> list:
    """Return the checkpoints there are, as they are now."""
    return [file.read_text() for file in (settings.home / "imports").glob("*.json")]


def test_what_was_sent_after_the_last_checkpoint_is_not_sent_again(kafka_settings, tmp_path):
    file = write(tmp_path / "views.jsonl", [view(number) for number in range(50)])
    assert ingest(kafka_settings, file).returncode == 0
    (checkpoint,) = (kafka_settings.home / "imports").glob("*.json")
    # As if killed between the broker's answer and the checkpoint: back to the beginning.
    told = json.loads(checkpoint.read_text())
    nothing = dict.fromkeys(told["ends"], 0)
    checkpoint.write_text(json.dumps(told | {"row": 0, "digest": "", "ends": nothing}))
    again = ingest(kafka_settings, file, "--json")
    assert (json.loads(again.stdout)[0]["sent"], len(on_the_log(kafka_settings))) == (0, 50)


def test_a_file_that_has_grown_sends_its_new_rows_and_again_sends_all(kafka_settings, tmp_path):
    path = tmp_path / "views.jsonl"
    ingest(kafka_settings, write(path, [view(number) for number in range(10)]))
    grown = ingest(kafka_settings, write(path, [view(n) for n in range(15)]), "--json")
    assert json.loads(grown.stdout)[0]["sent"] == 5
    assert ingest(kafka_settings, path, "--again").returncode == 0
    records = on_the_log(kafka_settings)
    assert len(records) == 30
    ids = Counter(json.loads(record.value)["event_id"] for record in records)
    assert set(ids.values()) == {2}  # the same ids: the fold counts them once


def test_a_file_that_has_changed_is_sent_from_its_first_row(kafka_settings, tmp_path):
    path = tmp_path / "views.jsonl"
    ingest(kafka_settings, write(path, [view(0), view(1), view(2)]))
    changed = ingest(kafka_settings, write(path, [view(0), view(7), view(2)]), "--json")
    assert json.loads(changed.stdout)[0]["sent"] == 3
    first = {json.loads(r.value)["event_id"] for r in on_the_log(kafka_settings)}
    assert len(first) == 5  # the unchanged first row kept its id


def test_each_message_says_where_it_came_from_and_how_far_the_file_reaches(
    kafka_settings, tmp_path
):
    file = write(tmp_path / "views.jsonl", [view(2), view(9), view(4)])
    ingest(kafka_settings, file, "--source", "crm")
    (record, *_) = on_the_log(kafka_settings)
    headers = dict(record.headers)
    assert (headers["format"], headers["source"]) == (b"native", b"crm")
    newest = int((START + timedelta(minutes=9)).timestamp() * 1000)
    assert int(headers["observed_until"]) == newest
    assert record.key.startswith(b"user_id:u-")


def test_bad_rows_are_told_and_kept_apart_and_the_good_ones_sent(kafka_settings, tmp_path):
    bad = view(1) | {"occurred_at": "1970-01-01T00:00:00Z"}
    file = write(tmp_path / "views.jsonl", [view(0), bad, view(2)])
    rejects = tmp_path / "rejects.jsonl"
    done = ingest(kafka_settings, file, "--reject-file", rejects)
    assert done.returncode == 1
    assert "line 2: bad_time at occurred_at" in done.stderr
    assert "Traceback" not in done.stderr
    (kept,) = map(json.loads, rejects.read_text().splitlines())
    assert (kept["line"], kept["reason"], json.loads(kept["raw"])) == (2, "bad_time", bad)
    assert paths_of(kafka_settings) == Counter(["/0", "/2"])


def test_a_dry_run_sends_nothing_and_needs_no_kafka(make_settings, tmp_path):
    file = write(tmp_path / "views.jsonl", [view(0)])
    done = ingest(make_settings(), file, "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["accepted"] == 1


@pytest.mark.parametrize(
    ("name", "content", "arguments", "said"),
    [
        ("a.csv", "x,y\n1,2\n", [], "needs --mapping"),
        ("a.xlsx", "", [], "--format"),
        ("a.parquet", "no", [], "not a Parquet file"),
        ("a.jsonl", "{}\n", ["--mapping", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_a_users_mistake_is_a_sentence_not_a_traceback(
    make_settings, tmp_path, name, content, arguments, said
):
    (tmp_path / name).write_text(content)
    done = ingest(make_settings(), tmp_path / name, *arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_kafka_that_is_not_there_is_said_with_what_to_do(make_settings, tmp_path):
    file = write(tmp_path / "views.jsonl", [view(0)])
    done = ingest(make_settings(), file)
    assert done.returncode == 1
    assert "c360 up" in done.stderr
    assert "Traceback" not in done.stderr


def test_files_out_of_order_are_told_and_sorted_ones_reach_the_log_by_time_each_row_once(
    kafka_settings, tmp_path
):
    orders = write(tmp_path / "orders.jsonl", [view(n * 9_700) for n in (5, 1, 3)])
    visits = write(tmp_path / "visits.jsonl", [view(n * 9_700) for n in (0, 2, 4)])
    tried = ingest(kafka_settings, orders, visits, "--dry-run", "--json")
    assert [told["late"] for told in json.loads(tried.stdout)] == [2, 3]
    assert "older than one before, the first in line 2" in tried.stderr
    assert "--sort" in tried.stderr
    done = ingest(kafka_settings, orders, visits, "--sort", "--json")
    assert done.returncode == 0, done.stderr
    assert [told["sent"] for told in json.loads(done.stdout)] == [3, 3]
    assert "older than" not in done.stderr
    by_partition: dict[int, list[str]] = {}
    for record in on_the_log(kafka_settings):
        at = json.loads(record.value)["occurred_at"]
        by_partition.setdefault(record.partition, []).append(at)
    assert all(times == sorted(times) for times in by_partition.values())
    assert sum(map(len, by_partition.values())) == 6
    again = ingest(kafka_settings, orders, visits, "--sort", "--json")
    assert [told["sent"] for told in json.loads(again.stdout)] == [0, 0]
    # The same rows in their own order would be there twice.
    ingest(kafka_settings, orders)
    refused = ingest(kafka_settings, orders, "--sort")
    assert refused.returncode != 0
    assert "was sent up to line 3 as it is written" in refused.stderr
