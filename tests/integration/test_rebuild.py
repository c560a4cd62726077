"""Rebuilding: the tables and profiles that the log gives, while everything goes on."""

import json
import threading
from functools import partial

import msgspec
import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from infra import refold
from infra.cli.rebuild import app
from models.customer import decode, encode
from models.judge import Judge
from models.react import Position
from models.records import Delivery
from models.replay import replay
from models.topics import DELIVERIES, EVENTS, PROFILES
from projections.rebuild import rebuild
from streams.lane.restore import Copy, mark
from streams.lane.store import MemoryStore
from tests.support import waiting
from tests.support.kafka_log import newest, read_all, send
from tests.support.log_samples import history, merged, messages

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
    from kafka.admin import KafkaAdminClient
    from kafka.structs import TopicPartition

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
def folded(settings):
    """The profiles that the log gives, live on their topic as the fold would leave them."""
    log = [*history(300, customers=20), merged(1, f"c_{1:020d}", f"c_{2:020d}")]
    send(settings.kafka, settings.topic(EVENTS), messages(log))
    records = read_all(settings.kafka, settings.topic(EVENTS))
    at = [(Position("events", one.partition, one.offset), one.value) for one in records]
    customers = replay(at, Judge.untrained())
    live = [(of.encode(), encode(one)) for of, one in customers.items()]
    send(settings.kafka, settings.topic(PROFILES), live)
    return customers


def test_profiles_that_are_what_the_log_gives_are_found_equal(settings, folded):
    comparison = refold.compare(settings, quiet)
    assert comparison.equal
    assert comparison.hash_live == comparison.hash_folded
    assert (comparison.customers, comparison.compared) == (len(folded), len(folded))


def test_a_profile_that_is_not_what_the_log_gives_is_named_and_mended(
    settings, folded, monkeypatch
):
    for name, value in settings.environ().items():
        monkeypatch.setenv(name, value)
    wrong = folded[f"c_{5:020d}"]
    wrong = replace(wrong, profile=replace(wrong.profile, orders=999), version=70)
    topic = settings.topic(PROFILES)
    owner = ("mark", mark(4_000_000_000_000, 7))  # a worker whose clock was ahead of ours
    send(settings.kafka, topic, [(wrong.customer_id.encode(), encode(wrong), [owner])])
    told = CliRunner().invoke(app, ["profiles", "--json"])
    assert told.exit_code == 1
    assert json.loads(told.stdout)["differences"] == [wrong.customer_id]
    assert CliRunner().invoke(app, ["profiles", "--mend"]).exit_code == 0
    mended = decode(newest(settings.kafka, topic)[wrong.customer_id.encode()])
    assert mended.profile == folded[wrong.customer_id].profile
    assert (mended.version, mended.risk) == (71, wrong.risk)
    assert refold.compare(settings, quiet).equal
    key = wrong.customer_id.encode()
    copy = Copy(MemoryStore())
    copy.take([one for one in read_all(settings.kafka, topic) if one.key == key], 0)
    found = decode(copy.store.contents[key])
    assert found == mended, "a worker that starts finds it mended"
