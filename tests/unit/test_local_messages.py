"""What stops a start is said in a sentence, with what to do about it."""

import fcntl
import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from infra.errors import UserError
from infra.local import folders, home, ports
from infra.local.kafka import KafkaBroker, java
from infra.local.logs import rotate


def fake_java(folder: Path, version: str) -> str:
    program = folder / "java"
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(folder)


@pytest.fixture
def no_java_home(monkeypatch):
    monkeypatch.delenv("JAVA_HOME", raising=False)


@pytest.mark.usefixtures("no_java_home")
def test_without_java_the_start_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="needs Java, which is not installed") as refused:
        KafkaBroker(tmp_path / "kafka", ports.free_port()).start()
    assert "apt-get install -y openjdk-17-jre-headless maven" in refused.value.remedy
    assert not (tmp_path / "kafka").exists()


@pytest.mark.usefixtures("no_java_home")
@pytest.mark.parametrize(("version", "major"), [("1.8.0_392", 8), ("11.0.21", 11)])
def test_a_java_that_is_too_old_is_named(tmp_path, monkeypatch, version, major):
    monkeypatch.setenv("PATH", f"{fake_java(tmp_path, version)}:{os.environ['PATH']}")
    with pytest.raises(UserError, match=f"is Java {major}"):
        java.java()


@pytest.mark.usefixtures("no_java_home")
@pytest.mark.parametrize("version", ["17.0.15", "21", "25-ea"])
def test_a_newer_java_will_do(tmp_path, monkeypatch, version):
    monkeypatch.setenv("PATH", f"{fake_java(tmp_path, version)}:{os.environ['PATH']}")
    assert java.java() == f"{tmp_path}/java"


def test_java_home_goes_before_the_path(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    fake_java(tmp_path / "bin", "21")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert java.java() == f"{tmp_path}/bin/java"


def test_without_maven_missing_jars_say_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="Maven, which is not installed"):
        java.jars()


def test_a_maven_that_fails_is_quoted_and_leaves_nothing_half_fetched(tmp_path, monkeypatch):
    maven = tmp_path / "mvn"
    maven.write_text("#!/bin/sh\necho 'Could not transfer artifact'; exit 1\n")
    maven.chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(UserError, match="Could not transfer artifact"):
        java.jars()
    assert not java.cache().exists()


def test_a_taken_port_is_told_with_who_has_it_and_which_setting_moves_it():
    with socket.socket() as taken:
        taken.bind((ports.LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"port {port} is taken by process {os.getpid()}") as no:
            ports.require_free(port, "Kafka", "kafka_port")
    assert "C360_KAFKA_PORT" in no.value.remedy


@pytest.mark.parametrize("folder", [Path("/proc/customer360"), Path("/dev/null/customer360")])
def test_a_directory_that_cannot_be_written_is_named(folder):
    with pytest.raises(UserError, match=f"cannot write to {folder}") as refused:
        folders.prepare(folder)
    assert "C360_HOME" in refused.value.remedy


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_read_only_directory_is_named(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(UserError, match="cannot write"):
        folders.prepare(tmp_path)


def test_a_full_disk_is_told_with_how_much_is_needed(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "NEEDED_BYTES", 2**60)
    with pytest.raises(UserError, match="is full"):
        folders.prepare(tmp_path)


def test_a_comma_in_the_data_directory_is_refused_because_kafka_would_split_there(tmp_path):
    with pytest.raises(UserError, match="comma"):
        KafkaBroker(tmp_path / "a,b", ports.free_port()).command()


def test_a_second_up_on_the_same_home_is_refused_and_a_later_one_is_not(tmp_path):
    with home.locked(tmp_path):
        assert home.holder(tmp_path) == os.getpid()
        with pytest.raises(UserError, match="running"), home.locked(tmp_path):
            pytest.fail("two at once")
    assert home.holder(tmp_path) is None
    with home.locked(tmp_path):
        pass


def test_who_only_looks_whether_one_runs_does_not_keep_it_from_starting(tmp_path):
    with home.locked(tmp_path):
        home.publish(tmp_path, [home.PartState("kafka", "ready", 7, 0, 0)])
    with (tmp_path / home.LOCK).open() as looked_at:
        fcntl.flock(looked_at, fcntl.LOCK_SH)
        threading.Timer(0.2, fcntl.flock, (looked_at, fcntl.LOCK_UN)).start()
        with home.locked(tmp_path):
            assert home.holder(tmp_path) == os.getpid()
            assert home.published(tmp_path) == []  # what the one before said is not true of it


def test_a_long_log_is_rotated_under_its_writer(tmp_path):
    log = tmp_path / "part.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"old\n" * 10)
        assert rotate(log, limit=20)
        writer.write(b"new\n")
    assert log.read_bytes() == b"new\n"
    assert (tmp_path / "part.log.1").read_bytes() == b"old\n" * 10


def test_only_the_newest_rotated_logs_are_kept(tmp_path):
    log = tmp_path / "part.log"
    for number in range(6):
        log.write_text(f"{number}" * 10)
        rotate(log, limit=5)
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == ["part.log", "part.log.1", "part.log.2", "part.log.3"]
    assert (tmp_path / "part.log.1").read_text() == "5" * 10
