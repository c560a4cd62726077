"""Bad messages are kept whole with their reason, bad settings are told in a sentence.

The messages go straight onto Kafka, past all that HTTP would refuse, in every
compression that a producer may choose.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from infra.admin import create_topics
from infra.local import ports
from models import topics
from tests.support.kafka_log import read_all
from tests.support.waiting import until

pytestmark = pytest.mark.stack

NOW = datetime.now(UTC)
CODECS = ("gzip", "snappy", "lz4", "zstd", None)
GOOD_EACH = 3  # good events around each bad one


def event(**over: object) -> dict:
    """Return a page view of somebody; a field given as None is left out."""
    given = {
        "type": "page_viewed",
        "schema_version": 2,
        "occurred_at": NOW.isoformat(),
        "identifiers": [{"type": "user_id", "value": "nobody-bad"}],
        "channel": "web",
        "path": "/",
    } | over
    return {name: value for name, value in given.items() if value is not None}


def raw(**over: object) -> bytes:
    return json.dumps(event(**over)).encode()


def order(amount: object) -> bytes:
    total = {"amount": amount, "currency": "USD"}
    return raw(type="order_placed", path=None, order_id="o", total=total)


def nested(levels: int) -> dict:
    value: dict = {}
    for _ in range(levels):
        value = {"deeper": value}
    return value


# What was sent, and the reason and the place that its dead letter must name.
BAD: dict[str, tuple[bytes | None, str, str]] = {
    "cut off": (raw()[:-20], "not_json", ""),
    "not an object": (b"[1, 2]", "bad_field", ""),
    "words": (b"hello?", "not_json", ""),
    "wrong type": (raw(path=17), "bad_field", "path"),
    "type of the wrong type": (raw(type=17), "unknown_type", "type"),
    "no identifier": (raw(identifiers=None), "no_identifier", "identifiers"),
    "empty identifiers": (raw(identifiers=[]), "no_identifier", "identifiers"),
    "blank identifier": (
        raw(identifiers=[{"type": "user_id", "value": "  "}]),
        "no_identifier",
        "identifiers",
    ),
    "unknown type": (raw(type="teleported"), "unknown_type", "type"),
    "unknown version": (raw(schema_version=99), "unknown_version", "schema_version"),
    "1970": (raw(occurred_at="1970-01-01T00:00:00Z"), "bad_time", "occurred_at"),
    "far future": (raw(occurred_at="2999-01-01T00:00:00Z"), "bad_time", "occurred_at"),
    "in three days": (
        raw(occurred_at=(NOW + timedelta(days=3)).isoformat()),
        "bad_time",
        "occurred_at",
    ),
    "negative": (order("-1.00"), "bad_amount", "total.amount"),
    "NaN": (order("NaN"), "bad_amount", "total.amount"),
    "Infinity": (order("Infinity"), "bad_amount", "total.amount"),
    "bare NaN": (order(float("nan")), "not_json", ""),
    "bare Infinity": (order(float("inf")), "not_json", ""),
    "half a cent": (order("1.005"), "bad_amount", "total"),
    "1 MB": (raw(path="/" + "x" * 1_000_000), "too_large", ""),
    "long path": (raw(path="/" + "x" * 100_000), "bad_field", "path"),
    "nested": (raw(properties=nested(20)), "too_deep", "properties"),
    "nested without end": (b'{"properties":' + b'{"a":' * 20_000 + b"1", "too_deep", ""),
    "no UTF-8": (raw(path="/@").replace(b"@", b"\xff\xfe"), "not_utf8", ""),
    "null": (None, "empty", ""),
    "nothing": (b"", "empty", ""),
    "unknown field": (raw(colour="red"), "bad_field", "colour"),
}
SENT_HEADERS = [("trace", b"\x00\xff")]  # any client's own, not even text


async def put(brokers: str, topic: str, codec: str | None, messages: list[tuple]) -> list[str]:
    """Send (key, value) in one record batch; return the places as dead letters name them."""
    producer = AIOKafkaProducer(
        bootstrap_servers=brokers,
        compression_type=codec,
        max_batch_size=8_000_000,
        max_request_size=8_000_000,
    )
    await producer.start()
    try:
        batch = producer.create_batch()
        for key, value in messages:  # `send` would refuse a message without key and value
            assert batch.append(key=key, value=value, timestamp=None, headers=SENT_HEADERS)
        sent = await (await producer.send_batch(batch, topic, partition=1))
        return [f"touchpoints/1/{sent.offset + index}" for index in range(len(messages))]
    finally:
        await producer.stop()


def interleaved(user: str) -> tuple[list[tuple[bytes | None, bytes | None]], list[int]]:
    """Return every bad message between good ones of `user`, and where the bad ones are."""
    messages: list[tuple[bytes | None, bytes | None]] = []
    bad = []
    for name, (value, *_) in BAD.items():
        for number in range(GOOD_EACH):
            id = f"{user}-{name}-{number}"
            who = [{"type": "user_id", "value": user}]
            messages.append((user.encode(), raw(event_id=id, identifiers=who)))
        bad.append(len(messages))
        messages.append((None if name in ("words", "null") else user.encode(), value))
    return messages, bad


@pytest.mark.parametrize("codec", CODECS)
def test_bad_messages_are_kept_with_their_reason_and_every_good_one_arrives(system, codec):
    user = f"bad-input-{codec}"
    brokers = system.settings.brokers
    before = until(lambda: status(system), 60, "the worker is ready")
    messages, bad = interleaved(user)
    touchpoints = system.settings.topic(topics.TOUCHPOINTS)
    places = asyncio.run(put(brokers, touchpoints, codec, messages))

    good = len(messages) - len(bad)
    known = system.becomes(f"user_id:{user}", lambda one: one["computed"]["events"] == good)
    assert known["computed"]["orders"] == 0

    def letters() -> dict[str, object]:
        found = read_all(brokers, system.settings.topic(topics.DEAD_LETTERS))
        return {dict(one.headers)["source"].decode(): one for one in found}

    wanted = {places[index] for index in bad}
    kept = until(lambda: wanted <= (found := letters()).keys() and found, 60, "the dead letters")
    assert {place for place in kept if place in places} == wanted, "no good one is among them"
    for index, (name, (value, reason, where)) in zip(bad, BAD.items(), strict=True):
        letter = kept[places[index]]
        said = {key: text.decode() for key, text in letter.headers if key != "trace"}
        assert (said["reason"], said["where"]) == (reason, where), (name, said)
        assert said["detail"], name
        assert letter.value == value, name
        assert letter.key == messages[index][0], name
        assert letter.headers[: len(SENT_HEADERS)] == SENT_HEADERS, name

    question = "SELECT count() FROM touchpoints FINAL WHERE startsWith(event_id, {u:String})"
    until(lambda: system.rows(question, u=f"{user}-") == [(good,)], 60, "good ones as rows")
    listed = (
        "SELECT source, reason, field FROM dead_letters FINAL WHERE source IN {s:Array(String)}"
    )
    rows = until(
        lambda: len(got := system.rows(listed, s=sorted(wanted))) == len(bad) and got, 60, "rows"
    )
    assert {row[0]: row[1:] for row in rows} == {
        places[index]: (reason, where)
        for index, (_, reason, where) in zip(bad, BAD.values(), strict=True)
    }
    now = until(lambda: status(system), 60, "the worker answers")
    assert now == before, "no worker was restarted"


def status(system) -> tuple | None:
    """Return what a restart of the worker would change; None while it is not ready."""
    try:
        said = httpx.get(f"http://127.0.0.1:{system.settings.worker_port}/status", timeout=20)
    except httpx.TransportError:
        return None
    found = said.json()
    return (found["tenure"], found["generation"]) if found["ready"] else None


def run(arguments: list[str], environ: dict[str, str], before: tuple[str, ...] = ()):
    """Run a module to its end, with these settings alone."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("C360_")}
    return subprocess.run(
        [*before, sys.executable, "-m", *arguments],
        env=clean | environ,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def said(done: subprocess.CompletedProcess) -> str:
    """Return what a person reads; it is never a traceback."""
    text = " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in text, text
    return text


@pytest.fixture
def own(tmp_path) -> dict[str, str]:
    """A home and ports of the test's own."""
    names = ("KAFKA", "CLICKHOUSE", "CLICKHOUSE_NATIVE", "INGEST", "SERVE", "WORKER")
    return {f"C360_{name}_PORT": str(ports.free_port()) for name in names} | {
        "C360_HOME": str(tmp_path / "home")
    }


def test_a_topic_of_another_width_is_named_with_what_to_do(make_settings, broker):
    settings = make_settings(kafka=broker, partitions=4)
    create_topics(settings)
    wrong = settings.model_copy(update={"partitions": 8}).environ()
    events = f"{settings.topic(topics.EVENTS)} has 4 partitions, not 8"
    up = run(["infra.cli", "up", "worker"], wrong)
    assert (up.returncode, events in said(up)) == (1, True), said(up)
    worker = run(["streams"], wrong)
    assert (worker.returncode, events in said(worker)) == (78, True), said(worker)
    for done in (up, worker):
        assert "C360_PARTITIONS to what" in said(done)
        assert "C360_TOPIC_PREFIX" in said(done)


@pytest.mark.parametrize(
    "program",
    ["streams", "streams.ingest", "projections", "projections.serve", "infra.cli up"],
)
@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [("C360_PARTITION", "8", "`c360 doctor` lists them"), ("C360_PARTITIONS", "few", "integer")],
)
def test_a_setting_that_cannot_be_used_is_named_by_every_program(program, name, value, remedy):
    done = run(program.split(), {name: value})
    assert done.returncode == 2
    assert f"{name}: " in said(done)
    assert remedy in said(done)


@pytest.mark.parametrize(
    ("program", "environ", "words"),
    [
        ("streams", {}, "C360_SNAPSHOT_SECRET: not set"),
        ("streams", {"C360_OFFERS_FILE": "/none.toml"}, "C360_OFFERS_FILE: cannot read /none.toml"),
        ("streams.ingest", {"C360_WRITE_KEYS": "abc"}, "C360_WRITE_KEYS must hold name=key"),
        ("projections.serve", {}, "C360_API_KEYS is not set"),
        ("projections.serve", {"C360_API_KEYS": "a=b"}, "C360_API_KEYS: each key reads name=key"),
    ],
)
def test_a_secret_or_file_that_cannot_be_used_is_named(program, environ, words):
    done = run([program], environ)
    assert done.returncode == 2
    assert words in said(done)


def test_up_tells_at_once_which_setting_a_part_cannot_use(own, broker):
    prefix = f"keys{os.getpid()}."
    wrong = {"C360_WRITE_KEYS": "abc", "C360_KAFKA": broker, "C360_TOPIC_PREFIX": prefix}
    done = run(["infra.cli", "up", "ingest"], own | wrong)
    assert done.returncode == 1
    assert "ingest cannot start: C360_WRITE_KEYS must hold name=key" in said(done)


def test_a_wrong_key_is_told_to_programs_and_to_people(system):
    sent = system.ingest.post("/v1/events", json=event(), auth=("wrong-write-key", ""))
    read = system.api.get("/v1/profiles/user_id:x", headers={"authorization": "Bearer wrong-key"})
    for answer in (sent, read):
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert "www-authenticate" in answer.headers
        assert "key" in answer.json()["detail"]
        assert "wrong" not in answer.text
    wrong = {"api_keys": "desk=wrong-api-key", "write_keys": "shop=wrong-write-key"}
    environ = system.settings.environ() | {f"C360_{k.upper()}": v for k, v in wrong.items()}
    person = run(["infra.cli", "profile", "user_id:x"], environ)
    assert person.returncode == 1
    assert "C360_API_KEYS" in said(person)
    simulator = run(["infra.cli", "simulate"], environ)
    assert simulator.returncode == 1
    assert "C360_WRITE_KEYS" in said(simulator)


def on_a_disk(options: str, folder: str) -> tuple[str, ...]:
    """Return what runs a command with a disk of its own at `folder`, which ends with it."""
    probe = ("unshare", "--mount", "--map-root-user")
    if not shutil.which("unshare") or subprocess.run([*probe, "true"], check=False).returncode:
        pytest.skip("this user may not mount")
    mount = f'mount -t tmpfs -o {options} tmpfs "{folder}" && exec "$@"'
    return (*probe, "sh", "-c", mount, "sh")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("ro", "cannot write to {home}: Read-only file system"),
        ("size=16m", "the disk of {home} is full: 16 MiB free, 512 MiB are needed"),
    ],
)
def test_a_read_only_and_a_full_disk_are_told_before_anything_starts(own, tmp_path, options, words):
    home = own["C360_HOME"]
    Path(home).mkdir()
    done = run(["infra.cli", "up"], own, on_a_disk(options, home))
    assert done.returncode == 1
    assert words.format(home=home) in said(done)
    assert "C360_HOME" in said(done)
    assert not list(Path(home).iterdir())


def test_a_file_in_place_of_the_data_directory_is_told(own, tmp_path):
    (tmp_path / "home").write_text("")
    done = run(["infra.cli", "up"], own)
    assert done.returncode == 1
    assert f"{tmp_path}/home is a file, and a directory is needed" in said(done)
