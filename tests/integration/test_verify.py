"""Verifying on real stores: what is healthy is found so, and each kind of fault is named."""

import json
import threading
import time
from contextlib import closing
from functools import partial

import pytest
from kafka import KafkaConsumer
from kafka.structs import OffsetAndMetadata, TopicPartition
from msgspec.structs import replace
from typer.testing import CliRunner

from infra.cli import app
from infra.group import worker_group
from infra.verify.run import PARTS, verify
from models.customer import encode
from models.events import CustomerIdentified, Identifier
from models.identity import customer_id_of, identify
from models.judge import Judge
from models.links import decode_identity, state_merge, state_unmerge
from models.links import encode as write
from models.react import Position
from models.replay import replay
from models.topics import (
    DEAD_LETTERS,
    EVENTS,
    IDENTITIES,
    IDENTITY_LINKS,
    PROFILES,
    TOUCHPOINTS,
)
from projections.client import connect
from projections.load import Chunk, Loader
from projections.project import group
from projections.tables import ROUTES
from tests.support import waiting
from tests.support.histories import ANA, event
from tests.support.kafka_log import newest, read_all, send
from tests.support.log_samples import history, merged, messages
from tests.support.people import said

pytestmark = pytest.mark.stack
BROWSER = Identifier(type="anonymous_id", value="lost-browser")
LOGGED = ("clickhouse:log", "clickhouse:touchpoints", "clickhouse:identity_moves")
until = partial(waiting.until, seconds=150)


def look(settings, *parts, processes=1):
    """Verify some parts; return the checks by where."""
    found = verify(settings, parts or PARTS, processes, lambda part: lambda done, there: None)
    return {check.where: check for check in found}


def wrong(checks):
    """Return the differences: (where, what, how)."""
    return [(one.where, one.what, one.how) for c in checks.values() for one in c.differences]


def project_all(settings):
    """Do what projecting does, and end."""
    with closing(Loader(lambda: connect(settings), settings.clickhouse_database)) as loader:
        for topic in ROUTES:
            records = read_all(settings.brokers, settings.topic(topic))
            for number in {record.partition for record in records}:
                mine = [record for record in records if record.partition == number]
                loader.load([Chunk(topic, number, mine[0].offset, mine[-1].offset, mine)])
    commit(settings, group(settings), *ROUTES)
    commit(settings, worker_group(settings), EVENTS)


def commit(settings, name, *topics):
    """Say that a group has read all there is."""
    with closing(
        KafkaConsumer(bootstrap_servers=settings.brokers, group_id=name, enable_auto_commit=False)
    ) as consumer:
        for topic in topics:
            full = settings.topic(topic)
            spots = [TopicPartition(full, n) for n in consumer.partitions_for_topic(full)]
            consumer.assign(spots)
            ends = consumer.end_offsets(spots)
            consumer.commit({at: OffsetAndMetadata(end, "", -1) for at, end in ends.items()})


@pytest.fixture
def stores(settings):
    """A log, the profiles that it gives, and the tables made of both."""
    log = [*history(600, customers=20), merged(1, f"c_{1:020d}", f"c_{2:020d}")]
    send(settings.kafka, settings.topic(EVENTS), messages(log))
    at = [
        (Position("events", one.partition, one.offset), one.value)
        for one in read_all(settings.kafka, settings.topic(EVENTS))
    ]
    customers = replay(at, Judge.untrained())
    # What the loser gathered is still on its way, so the winner has not heard of it.
    customers[f"c_{2:020d}"] = replay(
        [one for one in at if b"customer_merged" not in one[1]], Judge.untrained()
    )[f"c_{2:020d}"]
    live = [(of.encode(), encode(one)) for of, one in customers.items()]
    send(settings.kafka, settings.topic(PROFILES), live)
    project_all(settings)
    return customers


@pytest.fixture
def do(settings):
    """Return a function that runs a statement."""
    with connect(settings) as client:
        yield client.command


def test_stores_that_are_what_the_log_gives_are_found_equal(settings, stores):
    checks = look(settings, "profiles", "clickhouse")
    assert wrong(checks) == []
    counts = {
        name: sum(one.found.count for where, one in checks.items() if where.startswith(f"{name}/"))
        for name in ("profiles", "clickhouse:profiles", *LOGGED)
    }
    log, touchpoints, moves = (counts.pop(name) for name in LOGGED)
    assert (log, touchpoints, moves) == (601, 600, 1)
    assert counts == {"profiles": len(stores), "clickhouse:profiles": len(stores)}
    for check in checks.values():
        assert check.expected == check.found


def test_a_row_that_is_gone_is_named(settings, stores, ask):
    ask("ALTER TABLE touchpoints DELETE WHERE event_id = 'e7' SETTINGS mutations_sync = 1")
    [(where, what, how)] = wrong(look(settings, "clickhouse"))
    [record] = [
        one
        for one in read_all(settings.kafka, settings.topic(EVENTS))
        if json.loads(one.value)["event_id"] == "e7"
    ]
    assert where == f"clickhouse:touchpoints/{record.partition}"
    assert what == f"offset {record.offset} of {record.key.decode()}"
    assert how == ["no row"]


def test_a_row_too_many_is_named(settings, stores, do):
    do(
        "INSERT INTO touchpoints (customer_id, occurred_at, event_id, log_partition, log_offset)"
        " VALUES ('c_a', '2026-01-05 09:00:00', 'twice', 1, 3)"
    )
    [(where, _, how)] = wrong(look(settings, "clickhouse"))
    assert where.startswith("clickhouse:touchpoints/")
    assert how == ["a row that the log does not give"]


def test_a_row_that_says_something_else_is_named_with_its_columns(settings, stores, ask):
    ask(
        "ALTER TABLE profiles UPDATE orders = orders + 1, revenue = map('USD', 7)"
        f" WHERE customer_id = 'c_{5:020d}' SETTINGS mutations_sync = 1"
    )
    [(where, what, how)] = wrong(look(settings, "clickhouse"))
    assert where.startswith("clickhouse:profiles/")
    assert what.endswith(f" of c_{5:020d}")
    assert how == ["orders", "revenue"]


def test_a_row_written_twice_is_there_once(settings, stores, ask, do):
    do(
        "INSERT INTO touchpoints SETTINGS insert_deduplicate = 0"
        " SELECT * FROM touchpoints WHERE event_id = 'e9'"
    )
    assert ask("SELECT count() FROM touchpoints WHERE event_id = 'e9'") == [(2,)]
    assert wrong(look(settings, "clickhouse")) == []


def test_an_event_that_a_client_sends_again_is_no_difference(settings, stores):
    again = history(600, customers=20)[:50]
    send(settings.kafka, settings.topic(EVENTS), messages(again))
    project_all(settings)
    checks = look(settings, "clickhouse")
    assert wrong(checks) == []
    assert all(check.expected == check.found for check in checks.values())


def test_a_profile_that_was_erased_since_is_in_flux(settings, stores):
    """Projected behind what the group had committed, as while we read."""
    erased = f"c_{5:020d}"
    topic = settings.topic(PROFILES)
    send(settings.kafka, topic, [(erased.encode(), None)])
    gone = read_all(settings.kafka, topic)
    [gone] = [one for one in gone if one.key == erased.encode() and one.value is None]
    with closing(Loader(lambda: connect(settings), settings.clickhouse_database)) as loader:
        loader.load([Chunk(PROFILES, gone.partition, gone.offset, gone.offset, [gone])])
    checks = look(settings, "clickhouse")
    assert wrong(checks) == []
    assert checks[f"clickhouse:profiles/{gone.partition}"].in_flux == 1


def test_a_profile_that_is_altered_or_lost_is_named(settings, stores):
    altered, lost = f"c_{5:020d}", f"c_{6:020d}"
    one = stores[altered]
    profile = replace(one.profile, orders=999, revenue={})
    topic = settings.topic(PROFILES)
    send(
        settings.kafka,
        topic,
        [(altered.encode(), encode(replace(one, profile=profile))), (lost.encode(), None)],
    )
    found = {what: how for _, what, how in wrong(look(settings, "profiles"))}
    assert found.keys() == {altered, lost}
    assert found[lost][0].startswith("not applied: the event at offset ")
    assert found[altered] == [
        f"profile.orders: {one.profile.orders} by the log, 999 live",
        "profile.revenue: 1 by the log, 0 live",
    ]


def test_it_exits_with_1_and_says_it_as_json(settings, stores, ask, monkeypatch):
    for name, value in settings.environ().items():
        monkeypatch.setenv(name, value)
    healthy = CliRunner().invoke(app, ["verify", "profiles", "clickhouse", "--json"])
    assert (healthy.exit_code, json.loads(healthy.stdout)["equal"]) == (0, True)
    ask("ALTER TABLE log DELETE WHERE event_id = 'e7' SETTINGS mutations_sync = 1")
    sick = CliRunner().invoke(app, ["verify", "clickhouse"])
    assert sick.exit_code == 1
    assert "no row" in sick.stdout


def test_a_busy_system_is_found_equal_and_a_lost_link_is_named(settings, start_part):
    """Customers visit, say who they are, are parted and joined, all the while."""
    topic, brokers = settings.topic(TOUCHPOINTS), settings.brokers
    start_part(settings, "streams")
    start_part(settings, "projections")
    stop = threading.Event()

    def go_on():
        number = 0
        while not stop.is_set():
            number += 1
            send(brokers, topic, said(number, customers=40))
            if number % 20 == 10:
                send(brokers, settings.topic(IDENTITY_LINKS), [parted_or_joined(number // 20)])
            stop.wait(0.05)

    sender = threading.Thread(target=go_on)
    sender.start()
    try:
        until(lambda: len(read_all(brokers, settings.topic(IDENTITY_LINKS))) >= 40)
        until(lambda: len(newest(brokers, settings.topic(PROFILES))) >= 60)
        until(lambda: told_apart(settings) >= 3)
        for processes in (1, 2):
            checks = look(settings, processes=processes)
            assert wrong(checks) == []
            assert checks["identities"].found.count > 0
    finally:
        stop.set()
        sender.join()
    letters = read_all(brokers, settings.topic(DEAD_LETTERS))
    assert {dict(one.headers)["reason"] for one in letters} <= {b"refused"}  # parted before
    until(lambda: sum(c.in_flux for c in look(settings, "profiles", "identity").values()) == 0)
    assert wrong(look(settings)) == []

    state = newest(brokers, settings.topic(IDENTITIES))
    member = next(key for key, value in state.items() if decode_identity(value).parent)
    alone = replace(decode_identity(state[member]), parent="")
    send(
        brokers, settings.topic(IDENTITIES), [(member, write(alone), [mark_of(brokers, settings)])]
    )
    found = {what: how for _, what, how in wrong(look(settings, "identity"))}
    assert "parent" in found.pop(member.decode())

    # An event that shows a link which nobody sent on.
    shown = event(CustomerIdentified, id="lost", who=(ANA, BROWSER), traits={})
    shown = identify(shown, "touchpoints/0", 10**9)
    send(brokers, settings.topic(EVENTS), messages([shown]))
    [record] = [r for r in read_all(brokers, settings.topic(EVENTS)) if b'"lost"' in r.value]
    place = f"events/{record.partition}/{record.offset}"
    until(lambda: place in {what for _, what, _ in wrong(look(settings, "identity"))})


def told_apart(settings):
    """Count the customers whom an unmerge gave another place."""
    events = read_all(settings.brokers, settings.topic(EVENTS))
    return sum(b'"customer_regrouped"' in record.value for record in events)


def parted_or_joined(number):
    """Return the command that takes a browser out of its user's group, or puts it back."""
    browser = Identifier(type="anonymous_id", value=f"browser-{number // 2 % 40}")
    user = Identifier(type="user_id", value=f"user-{number // 2 % 40 // 2}")
    id, now = customer_id_of(browser), time.time_ns() // 1_000_000
    if number % 2:
        command = state_merge(browser, user, "clerk", "the same after all", now)
    else:
        command = state_unmerge(id, "clerk", "somebody else", now)
    return id.encode(), write(command)


def mark_of(brokers, settings):
    from streams.lane.restore import epoch_of, mark

    records = read_all(brokers, settings.topic(IDENTITIES))
    return ("mark", mark(max(epoch_of(one.headers) for one in records), 10**9))
