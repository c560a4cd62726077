"""Rebuilding: the tables and profiles that the log gives, while everything goes on."""

import json
import os
import subprocess
import sys
import threading
from functools import partial

import msgspec
import pytest
from kafka import TopicPartition
from kafka.admin import KafkaAdminClient
from msgspec import Raw
from msgspec.structs import replace
from typer.testing import CliRunner

from infra.cli.rebuild import app
from infra.errors import UserError
from infra.group import members, worker_group
from infra.rebuild import identity as identities
from infra.rebuild import models as learning
from infra.rebuild import profiles, workers
from infra.rebuild.state import write as write_state
from infra.verify.forest import Forest
from models.customer import Customer, decode, encode
from models.events import CustomerIdentified, Identifier
from models.judge import Judge
from models.links import decode_link, links_of
from models.links import encode as write
from models.online import snapshots
from models.react import Position
from models.records import Delivery
from models.replay import replay
from models.topics import (
    DELIVERIES,
    EVENTS,
    EXAMPLES,
    IDENTITIES,
    IDENTITY_LINKS,
    MODEL_SNAPSHOTS,
    PROFILES,
)
from projections.rebuild import rebuild
from streams.lane.restore import Copy, mark
from streams.lane.store import MemoryStore
from tests.support import waiting
from tests.support.histories import event
from tests.support.kafka_log import newest, read_all, send
from tests.support.log_samples import example, history, messages
from tests.support.offline_fold import offline

pytestmark = pytest.mark.stack
until = partial(waiting.until, seconds=150)


def quiet(done, there):
    assert done <= there


def test_tables_that_were_spoilt_are_made_anew_while_projecting_goes_on(settings, ask, start_part):
    events = history(1_000, customers=50)
    more = [
        event.model_copy(update={"event_id": f"new-{event.event_id}"})
        for event in history(1_000, customers=50, seed=2)
    ]
    send(settings.kafka, settings.topic(EVENTS), messages(events))
    start_part(settings, "projections")
    until(lambda: ask("SELECT count() FROM touchpoints")[0][0] == len(events))
    ask("ALTER TABLE touchpoints DELETE WHERE type = 'order_placed' SETTINGS mutations_sync = 1")
    topic = settings.topic(EVENTS)
    sending = threading.Thread(target=send, args=(settings.kafka, topic, messages(more)))
    sending.start()
    rebuilt = {table.table: table for table in rebuild(settings, quiet)}
    sending.join()
    until(lambda: ask("SELECT count() FROM touchpoints FINAL")[0][0] == 2_000)
    assert rebuilt["touchpoints"].before < rebuilt["touchpoints"].after
    assert ask("SELECT uniqExact(event_id) FROM events") == [(2_000,)]
    database = settings.clickhouse_database
    assert ask(f"SELECT count() FROM system.databases WHERE name = '{database}_rebuild'") == [(0,)]


def test_ledger_rows_that_the_topic_has_forgotten_are_kept(settings, ask, broker):
    topic = settings.topic(DELIVERIES)
    attempts = [
        Delivery(
            delivery_id=f"d{number}",
            alert_id="a",
            customer_id="c_1",
            destination="hook",
            status="delivered",
            attempt=1,
            at_ms=1_767_225_600_000 + number,
        )
        for number in range(4)
    ]
    send(broker, topic, [(b"c_1", msgspec.json.encode(one)) for one in attempts])
    rebuild(settings, quiet)
    [kept] = {record.partition for record in read_all(broker, topic)}
    admin = KafkaAdminClient(bootstrap_servers=broker)
    admin.delete_records({TopicPartition(topic, kept): 3})
    admin.close()
    rebuild(settings, quiet)
    assert ask("SELECT delivery_id FROM deliveries FINAL ORDER BY delivery_id") == [
        (one.delivery_id,) for one in attempts
    ]


@pytest.fixture
def folded(settings, monkeypatch):
    """The profiles that the log gives, live on their topic as the fold would leave them."""
    for name, value in settings.environ().items():
        monkeypatch.setenv(name, value)
    log = history(300, customers=20)
    send(settings.kafka, settings.topic(EVENTS), messages(log))
    customers = offline(settings)
    live = [(of.encode(), encode(one)) for of, one in customers.items()]
    send(settings.kafka, settings.topic(PROFILES), live)
    return customers


def c360(*arguments):
    """Run a rebuild; return its exit code and what it printed as JSON."""
    done = CliRunner().invoke(app, [*arguments, "--json"])
    return done.exit_code, json.loads(done.stdout)


def test_profiles_that_are_what_the_log_gives_are_found_equal(settings, folded):
    code, said = c360("profiles")
    assert (code, said["equal"]) == (0, True)
    assert sum(check["found"]["count"] for check in said["checks"]) == len(folded)


def test_a_profile_that_is_not_what_the_log_gives_is_named_and_swapped(settings, folded):
    wrong = folded[f"c_{5:020d}"]
    wrong = replace(wrong, profile=replace(wrong.profile, orders=999), version=70)
    topic = settings.topic(PROFILES)
    owner = ("mark", mark(4_000_000_000_000, 7))  # a worker whose clock was ahead of ours
    stray = Customer(customer_id="c_nobody", offset=0)
    send(
        settings.kafka,
        topic,
        [
            (wrong.customer_id.encode(), encode(wrong), [owner]),
            (b"c_nobody", encode(stray)),
        ],
    )
    code, said = c360("profiles")
    named = {one["what"] for check in said["checks"] for one in check["differences"]}
    assert (code, named) == (1, {wrong.customer_id, "c_nobody"})
    code, said = c360("profiles", "--swap")
    assert (code, said["written"]) == (0, 2)
    mended = decode(newest(settings.kafka, topic)[wrong.customer_id.encode()])
    assert mended.profile == folded[wrong.customer_id].profile
    assert (mended.version, mended.risk) == (71, wrong.risk)
    assert (mended.episodes, mended.timers) == (wrong.episodes, wrong.timers)
    assert b"c_nobody" not in newest(settings.kafka, topic)
    assert c360("profiles")[0] == 0
    key = wrong.customer_id.encode()
    copy = Copy(MemoryStore())
    copy.take([one for one in read_all(settings.kafka, topic) if one.key == key], 0)
    found = decode(copy.store.contents[key])
    assert found == mended, "a worker that starts finds it mended"


def test_events_that_came_meanwhile_are_in_what_is_swapped(settings, folded):
    wrong = folded[f"c_{5:020d}"]
    topic = settings.topic(PROFILES)
    spoilt = replace(wrong, profile=replace(wrong.profile, orders=999))
    send(settings.kafka, topic, [(wrong.customer_id.encode(), encode(spoilt))])
    rebuilt = profiles.fold_anew(settings, 1, quiet)
    more = [
        one.model_copy(update={"event_id": f"new-{one.event_id}", "origin_offset": 10_000 + n})
        for n, one in enumerate(history(300, customers=20, seed=2))
    ]
    send(settings.kafka, settings.topic(EVENTS), messages(more))
    assert profiles.swap(settings, rebuilt, print).written == 1
    records = read_all(settings.kafka, settings.topic(EVENTS))
    at = [(Position("events", one.partition, one.offset), one.value) for one in records]
    mended = decode(newest(settings.kafka, topic)[wrong.customer_id.encode()])
    assert mended.profile == replay(at, Judge.mute())[wrong.customer_id].profile


def test_nothing_is_swapped_while_a_worker_of_somebody_else_runs(settings, folded, start_part):
    start_part(settings, "streams")
    until(lambda: members(settings, worker_group(settings)))
    wrong = folded[f"c_{5:020d}"]
    with pytest.raises(UserError, match="workers still run"), workers.stopped(settings, print, 1):
        pytest.fail("it was let in")
    assert decode(newest(settings.kafka, settings.topic(PROFILES))[wrong.customer_id.encode()])


def test_a_model_is_learnt_anew_to_the_same_bytes_and_a_forged_one_replaced(
    settings, monkeypatch, broker
):
    for name, value in settings.environ().items():
        monkeypatch.setenv(name, value)
    send(broker, settings.topic(EXAMPLES), [example(number) for number in range(400)])
    taught = learning.learn_anew(settings, quiet)
    assert [(one.model, one.version, one.ahead) for one in taught] == [("churn", 0, 400)]
    code, said = c360("models", "--swap")
    assert (code, [one["written"] for one in said]) == (0, [True])
    send(broker, settings.topic(EXAMPLES), [example(number) for number in range(400, 450)])
    code, [one] = c360("models")
    assert (code, one["equal"], one["learnt"], one["ahead"]) == (0, True, 400, 50)
    assert one["largest"] == 0.0

    key = settings.snapshot_secret.get_secret_value().encode()
    live = snapshots.decode(newest(broker, settings.topic(MODEL_SNAPSHOTS))[b"churn"], key)
    served = msgspec.json.decode(live.served)
    other = replace(live, served=Raw(msgspec.json.encode(served | {"intercept": 3.0})))
    owner = ("mark", mark(4_000_000_000_000, 7))
    forged = [(b"churn", snapshots.encode(other, key), [owner])]
    send(broker, settings.topic(MODEL_SNAPSHOTS), forged)
    code, [one] = c360("models")
    assert (code, one["equal"]) == (1, False)
    assert one["largest"] > 0.1
    assert c360("models", "--swap")[0] == 0
    code, [one] = c360("models")
    assert (code, one["equal"], one["version"]) == (0, True, 450)


def test_a_model_whose_examples_are_gone_is_swapped_only_if_one_insists(
    settings, monkeypatch, broker
):
    for name, value in settings.environ().items():
        monkeypatch.setenv(name, value)
    send(broker, settings.topic(EXAMPLES), [example(number) for number in range(100)])
    c360("models", "--swap")
    [kept] = {one.partition for one in read_all(broker, settings.topic(EXAMPLES))}
    admin = KafkaAdminClient(bootstrap_servers=broker)
    admin.delete_records({TopicPartition(settings.topic(EXAMPLES), kept): 60})
    admin.close()
    code, [one] = c360("models")
    assert (code, one["forgotten"], one["learnt"]) == (1, 60, 40)
    with pytest.raises(UserError, match="are gone"):
        learning.swap(settings, print, forget=False)
    code, [one] = c360("models", "--swap", "--forget")
    assert (code, one["written"]) == (0, True)


def test_identities_are_folded_anew_and_swapped_only_where_the_groups_are_the_same(
    settings, monkeypatch, broker
):
    for name, value in settings.environ().items():
        monkeypatch.setenv(name, value)
    links = [
        link
        for number in range(6)
        for link in links_of(
            event(
                CustomerIdentified,
                id=f"e{number}",
                who=(
                    Identifier(type="user_id", value=f"u{number // 2}"),
                    Identifier(type="anonymous_id", value=f"b{number}"),
                ),
            )
        )
    ]
    send(broker, settings.topic(IDENTITY_LINKS), [(one.left.encode(), write(one)) for one in links])
    forest = Forest(settings.identity_rules())
    for offset, link in enumerate(links):
        forest.take(offset, write(link))
    state = {id.encode(): write(one) for id, one in forest.identities.items()}
    state[b"_applied"] = write(identities.Applied(len(links) - 1))
    topic = settings.topic(IDENTITIES)
    send(broker, topic, state.items())
    code, said = c360("identity")
    assert (code, said["customers"], said["different"]) == (0, 9, 0)

    root = next(id for id, one in forest.identities.items() if not one.parent)
    spoilt = replace(forest.identities[root], refusals={"two_users": 5})
    send(broker, topic, [(root.encode(), write(spoilt))])
    code, said = c360("identity")
    assert (code, said["different"], said["regrouped"]) == (1, 1, {})
    code, said = c360("identity", "--swap")
    assert (code, said["written"]) == (0, 1)
    assert newest(broker, topic)[root.encode()] == state[root.encode()]

    member = next(id for id, one in forest.identities.items() if one.parent)
    alone = replace(forest.identities[member], parent="")
    owner = ("mark", mark(5_000_000_000_000, 7))
    send(broker, topic, [(member.encode(), write(alone), [owner])])
    code, said = c360("identity")
    assert (code, set(said["regrouped"])) == (1, {member})
    with pytest.raises(UserError, match="grouped otherwise"):
        identities.swap(settings, identities.fold_anew(settings, quiet), print)
    code, said = c360("identity", "--regroup")
    assert (code, said["written"]) == (0, 1)
    *_, record = read_all(broker, settings.topic(IDENTITY_LINKS))
    stated = decode_link(record.value)
    assert (stated.kind, stated.left, stated.by) == ("stated", member, "c360 rebuild identity")


DIES = """
import os, time
from kafka import KafkaProducer
from infra.rebuild.state import write
from infra.settings import Settings
from models.topics import IDENTITIES

def dies(*_, **__):
    time.sleep(1)
    os._exit(9)

KafkaProducer.flush = dies
changes = {b"c_%d" % number: b"x" * 1_000 for number in range(2_000)}
write(Settings.from_env(os.environ), IDENTITIES, 0, changes, 0)
"""


def test_the_resolvers_state_is_swapped_whole_or_not_at_all(settings, broker):
    topic = settings.topic(IDENTITIES)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("C360_")}
    done = subprocess.run(
        [sys.executable, "-c", DIES], env=clean | settings.environ(), check=False, timeout=240
    )
    assert (done.returncode, read_all(broker, topic)) == (9, [])
    changes = {b"c_%d" % number: b"x" * 1_000 for number in range(2_000)}
    write_state(settings, IDENTITIES, 0, changes, 0)
    assert len(newest(broker, topic)) == 2_000
