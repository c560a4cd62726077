"""The `c360` command as a person meets it: a real process, its words and its exit code."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli import COMMANDS, app
from infra.local import ports


@pytest.fixture
def c360(tmp_path):
    """Return a function that runs `c360 …` on a home of the test's own."""

    def run(*arguments, **environ):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("C360_")}
        return subprocess.run(
            [sys.executable, "-m", "infra.cli", *arguments],
            env=clean | {"C360_HOME": str(tmp_path / "home")} | environ,
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )

    return run


def free(count):
    return [str(ports.free_port()) for _ in range(count)]


@pytest.fixture
def own_ports():
    names = ("KAFKA", "CLICKHOUSE", "CLICKHOUSE_NATIVE", "INGEST", "SERVE", "WORKER")
    return dict(zip([f"C360_{name}_PORT" for name in names], free(len(names)), strict=True))


def test_an_unknown_setting_is_a_sentence_and_exit_code_2(c360):
    done = c360("keys", C360_KAFFKA="x")
    assert done.returncode == 2
    assert "C360_KAFFKA: no such setting; `c360 doctor` lists them" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_command_is_exit_code_2(c360):
    done = c360("explode")
    assert done.returncode == 2
    assert "No such command" in done.stderr


def test_an_unknown_part_is_told_with_those_there_are(c360):
    done = c360("up", "kafkaa")
    assert done.returncode == 1
    assert "no such part: kafkaa" in done.stderr
    assert "worker" in done.stderr


def test_up_with_more_workers_than_partitions_is_refused(c360):
    done = c360("up", "--workers", "3", C360_PARTITIONS="2")
    assert done.returncode == 1
    assert "3 workers would share 2 partitions" in done.stderr


def test_help_lists_every_command(c360):
    done = c360("--help")
    assert done.returncode == 0
    assert [name for name in COMMANDS if name not in done.stdout] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command):
    done = CliRunner().invoke(app, [command, "--help"])
    assert done.exit_code == 0, done.output
    assert "Usage" in done.output


def test_the_shell_can_complete_the_commands(c360):
    # Which shell runs make is not the point: the completion is asked for by name.
    done = c360("--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert done.returncode == 0
    assert "complete" in done.stdout


def test_without_java_up_says_what_to_install(c360, own_ports, tmp_path):
    done = c360("up", "kafka", PATH=str(tmp_path), JAVA_HOME="", **own_ports)
    assert done.returncode == 1
    assert "needs Java" in done.stderr
    assert "apt-get install" in done.stderr
    assert "Traceback" not in done.stderr


def test_up_on_a_taken_port_says_who_has_it(c360, own_ports):
    with socket.socket() as taken:
        taken.bind((ports.LOOPBACK, int(own_ports["C360_KAFKA_PORT"])))
        taken.listen()
        done = c360("up", "kafka", **own_ports)
    assert done.returncode == 1
    assert f"taken by process {os.getpid()}" in done.stderr
    assert "C360_KAFKA_PORT" in done.stderr


def test_a_home_that_cannot_be_written_is_named(c360):
    done = c360("up", C360_HOME="/proc/customer360")
    assert done.returncode == 1
    assert "cannot write to /proc/customer360" in done.stderr


def test_doctor_finds_nothing_wrong_with_a_good_machine_and_lists_every_setting(c360, own_ports):
    done = c360("doctor", "--json", **own_ports)
    found = json.loads(done.stdout)
    assert [one for one in found["findings"] if one["verdict"] == "wrong"] == []
    assert done.returncode == 0
    assert {"C360_KAFKA", "C360_HOME"} <= {one["variable"] for one in found["settings"]}


def test_doctor_says_what_to_do_about_each_thing_that_is_wrong(c360, own_ports, tmp_path):
    own_ports["C360_KAFKA"] = f"127.0.0.1:{own_ports['C360_KAFKA_PORT']}"
    own_ports["C360_OFFERS_FILE"] = str(tmp_path / "none.toml")
    done = c360("doctor", "--json", **own_ports)
    assert done.returncode == 1
    wrong = [one for one in json.loads(done.stdout)["findings"] if one["verdict"] == "wrong"]
    assert [one["name"] for one in wrong] == ["offers", "kafka"]
    assert all(one["remedy"] for one in wrong)


def test_doctor_lists_the_settings_when_one_of_them_is_wrong(c360):
    done = c360("doctor", C360_PARTITIONS="many")
    assert done.returncode == 1
    assert "C360_PARTITIONS: " in done.stdout
    assert "C360_TOPIC_PREFIX" in done.stdout


def test_a_created_key_is_one_json_object(c360):
    done = c360("keys", "create", "--scope", "read", "--name", "desk", "--json")
    assert json.loads(done.stdout)["name"] == "desk"
    again = c360("keys", "create", "--scope", "read", "--name", "desk")
    assert again.returncode == 1
    assert "choose another name" in again.stderr


def test_keys_for_a_shell_can_be_evaluated_and_are_no_settings(c360):
    done = c360("keys", "--env")
    read = f'{done.stdout}\necho "$WRITE_KEY" "$ADMIN_KEY"'
    said = subprocess.run(["sh", "-c", read], capture_output=True, text=True, check=True).stdout
    assert [key[:3] for key in said.split()] == ["wk_", "ak_"]
    assert "C360_" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("show", "ana"), "the profile API does not answer"),
        (("merge", "user_id:a", "user_id:b", "--reason", "x"), "ingest does not answer"),
        (("unmerge", "user_id:a", "--reason", "x", "--yes"), "ingest does not answer"),
        (("unmerge", "user_id:a", "--reason", "x"), "ClickHouse does not answer"),
        (("refused",), "ClickHouse does not answer"),
    ],
)
def test_what_identity_asks_and_is_away_is_said_with_what_to_do(c360, own_ports, arguments, told):
    done = c360("identity", *arguments, **own_ports)
    assert done.returncode == 1
    assert told in done.stderr
    assert "c360 up" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_broker_topics_says_how_to_start_one(c360, own_ports):
    done = c360("topics", **own_ports)
    assert done.returncode == 1
    assert "`c360 up` starts the embedded one" in done.stderr


@pytest.mark.stack
def test_topics_are_created_counted_and_shown(c360, broker):
    there = {"C360_KAFKA": broker, "C360_TOPIC_PREFIX": f"cli{os.getpid()}."}
    missing = c360("topics", "--json", **there)
    assert missing.returncode == 1
    done = c360("topics", "--create", "--json", **there)
    assert done.returncode == 0
    topics = json.loads(done.stdout)
    assert all(one["ok"] for one in topics)
    assert {one["topic"].removeprefix(f"cli{os.getpid()}.") for one in topics} >= {"events"}


@pytest.mark.stack
def test_the_demo_ends_by_itself_and_tells_what_it_came_to(c360, own_ports, tmp_path):
    done = c360("up", "--demo", "--for", "15", **own_ports)
    assert done.returncode == 0, done.stderr + done.stdout
    last = json.loads(done.stdout.splitlines()[-1])
    assert set(last) == {
        *("events", "profiles", "scored", "clickhouse_events", "clickhouse_customers"),
        *("dead_letters", "events_per_second", "freshness_p50_ms", "freshness_p99_ms"),
    }
    assert last["events"] > 0
    assert 0 < last["scored"] <= last["profiles"]
    assert last["clickhouse_events"] > 0
    for name in own_ports.values():
        assert ports.is_free(int(name))
    assert Path(tmp_path / "home" / "logs" / "worker.log").exists()
