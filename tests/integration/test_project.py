"""Projecting, with the real Kafka and ClickHouse: the tables say what the log says."""

import random
import threading
from collections import Counter
from contextlib import closing
from functools import partial

import pytest
from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.admin import KafkaAdminClient

from models.customer import Customer, encode
from models.events import OrderPlaced, PageViewed
from models.topics import ALERTS, DEAD_LETTERS, EVENTS, PROFILES
from projections import project
from projections.client import connect
from projections.migrate import migrate
from projections.project import group
from projections.tables import ROUTES
from tests.support import waiting
from tests.support.kafka_log import send
from tests.support.log_samples import START, envelope, history, merged, messages, order

pytestmark = pytest.mark.stack
until = partial(waiting.until, seconds=150)


def totals_of(events):
    orders = [event for event in events if isinstance(event, OrderPlaced)]
    return [
        (
            len(events),
            len({event.customer_id for event in events}),
            sum(event.total.amount for event in orders),
            sum(event.units for event in orders),
        )
    ]


TOTALS = """
SELECT count(), uniqExact(customer_id), sumIf(amount, type = 'order_placed'),
       sumIf(units, type = 'order_placed')
FROM touchpoints FINAL
"""


def test_the_tables_say_what_the_log_says(settings, ask, start_part):
    events = history(3_000, customers=200)
    send(settings.kafka, settings.topic(EVENTS), messages(events))
    start_part(settings, "projections")
    until(lambda: ask("SELECT count() FROM touchpoints FINAL")[0][0] == len(events))
    assert ask(TOTALS) == totals_of(events)
    orders = [event for event in events if isinstance(event, OrderPlaced)]
    # They are written after the touchpoints that they come with.
    until(lambda: ask("SELECT count() FROM order_lines FINAL")[0][0] == 2 * len(orders))
    assert ask("SELECT count(), sum(quantity) FROM order_lines FINAL") == [
        (2 * len(orders), sum(event.units for event in orders))
    ]
    assert dict(ask("SELECT type, count() FROM events GROUP BY type")) == Counter(
        event.type for event in events
    )


def test_a_stop_loses_nothing_and_leaves_nothing_uncommitted(settings, ask, start_part):
    events = history(500, customers=20)
    send(settings.kafka, settings.topic(EVENTS), messages(events))
    part = start_part(settings, "projections")
    until(lambda: ask("SELECT count() FROM touchpoints")[0][0] == len(events))
    assert part.stop() == 0
    with closing(_consumer(settings)) as consumer:
        committed = sum(
            consumer.committed(TopicPartition(settings.topic(EVENTS), number)) or 0
            for number in range(settings.partitions)
        )
    assert committed == len(events)


def test_the_same_offsets_again_add_no_row(settings, ask, start_part):
    events = history(400, customers=20)
    send(settings.kafka, settings.topic(EVENTS), messages(events))
    part = start_part(settings, "projections")
    until(lambda: ask("SELECT count() FROM touchpoints")[0][0] == len(events))
    part.stop()
    with closing(_consumer(settings, group_instance_id="project-w0")) as consumer:
        consumer.subscribe([settings.topic(topic) for topic in ROUTES])
        until(lambda: consumer.poll(timeout_ms=200) or consumer.assignment())
        consumer.commit(
            {
                TopicPartition(settings.topic(EVENTS), number): OffsetAndMetadata(0, "", -1)
                for number in range(settings.partitions)
            }
        )
    more = history(10, customers=5, seed=2)
    more = [event.model_copy(update={"event_id": f"new-{event.event_id}"}) for event in more]
    send(settings.kafka, settings.topic(EVENTS), messages(more))
    start_part(settings, "projections")
    until(lambda: ask("SELECT countIf(event_id LIKE 'new-%') FROM touchpoints")[0][0] == 10)
    assert ask(TOTALS) == totals_of(events + more)


def test_killed_at_any_moment_the_totals_equal_the_log(settings, ask, start_part):
    dice = random.Random(7)
    sent = []
    for round_ in range(5):
        events = [
            event.model_copy(update={"event_id": f"{round_}-{event.event_id}"})
            for event in history(2_000, customers=100, seed=round_)
        ]
        sent += events
        part = start_part(settings, "projections")
        send(settings.kafka, settings.topic(EVENTS), messages(events))
        most = dice.randrange(1, 2_000) + 2_000 * round_
        until(lambda most=most: ask("SELECT count() FROM touchpoints")[0][0] >= most)
        part.kill()
    start_part(settings, "projections")
    until(lambda: ask("SELECT count() FROM touchpoints FINAL")[0][0] == len(sent))
    assert ask(TOTALS) == totals_of(sent)


def test_a_rejoin_is_finished_although_the_poll_that_began_it_is_over(settings, ask, monkeypatch):
    monkeypatch.setattr(project, "POLL_MS", 1)
    monkeypatch.setattr(project, "CONSUMER", project.CONSUMER | {"metadata_max_age_ms": 500})
    events = history(100, customers=10)
    projector = project.Projector(settings)
    running = threading.Thread(target=projector.run)
    running.start()
    try:
        send(settings.kafka, settings.topic(EVENTS), messages(events[:50]))
        until(lambda: ask("SELECT count() FROM touchpoints")[0][0] == 50)
        with closing(KafkaAdminClient(bootstrap_servers=settings.kafka)) as admin:
            admin.create_partitions({settings.topic(ALERTS): settings.partitions + 1})
        until(lambda: any(at.partition == settings.partitions for at in assigned(projector)))
        send(settings.kafka, settings.topic(EVENTS), messages(events[50:]))
        until(lambda: ask("SELECT count() FROM touchpoints")[0][0] == 100)
    finally:
        projector.stop()
        running.join()


def assigned(projector):
    return projector._consumer.assignment()


def test_clickhouse_away_for_a_while_is_waited_for(
    make_settings, broker, new_clickhouse, start_part
):
    from infra.admin import create_topics
    from tests.conftest import clickhouse_address

    server = new_clickhouse()
    settings = make_settings(kafka=broker, **clickhouse_address(server))
    create_topics(settings)
    migrate(settings)
    events = history(300, customers=20)
    part = start_part(settings, "projections")
    send(settings.kafka, settings.topic(EVENTS), messages(events[:100]))
    with connect(settings) as client:
        until(lambda: client.query("SELECT count() FROM touchpoints").result_rows[0][0] == 100)
    server.stop()
    send(settings.kafka, settings.topic(EVENTS), messages(events[100:]))
    until(lambda: "not available" in part.log.read_text(), what="it notices")
    server.start()
    with connect(settings) as client:
        until(lambda: client.query("SELECT count() FROM touchpoints").result_rows[0][0] == 300)
        assert client.query(TOTALS).result_rows == totals_of(events)
    assert part.process.poll() is None


def test_a_poison_value_is_set_aside_whole_and_the_rest_goes_on(settings, ask, start_part):
    huge = order(99, "c_x", START, "10.00").model_copy(update={"event_id": "e-huge"})
    text = messages([huge])[0][1].replace(b'"amount":"10.00"', b'"amount":"1e60"')
    good = history(200, customers=10)
    values = [*messages(good[:100]), (b"k", b"not json"), (b"c_x", text), *messages(good[100:])]
    send(settings.kafka, settings.topic(EVENTS), values)
    part = start_part(settings, "projections")
    until(lambda: ask("SELECT count() FROM touchpoints")[0][0] == len(good))
    until(lambda: ask("SELECT count() FROM dead_rows FINAL")[0][0] == 2)
    rows = ask("SELECT topic, key, value, error FROM dead_rows FINAL ORDER BY key")
    assert [row[:3] for row in rows] == [
        ("events", "c_x", text.decode()),
        ("events", "k", "not json"),
    ]
    assert all(row[3] for row in rows)
    assert part.process.poll() is None


def test_a_merge_shows_as_one_customer_and_a_forwarded_copy_is_not_counted(
    settings, ask, start_part
):
    a, b, c = (f"c_{letter * 20}" for letter in "abc")
    events = [
        PageViewed(**envelope(number, customer, START), path="/")
        for number, customer in enumerate([a, a, b, c])
    ]
    forwarded = events[0].model_copy(update={"customer_id": b, "origin": "events/0"})
    log = [*events, merged(1, loser=a, winner=b), forwarded, merged(2, loser=b, winner=c)]
    send(settings.kafka, settings.topic(EVENTS), messages(log))
    start_part(settings, "projections")
    until(lambda: ask("SELECT count() FROM identity_moves FINAL")[0][0] == 2)
    until(lambda: ask("SELECT count() FROM touchpoints FINAL")[0][0] == len(events))
    assert ask("SELECT customer_id, count() FROM events GROUP BY 1") == [(c, 4)]


def test_an_erased_profile_disappears_and_may_come_back(settings, ask, start_part):
    topic = settings.topic(PROFILES)
    state = encode(Customer(customer_id="c_1", version=9))
    send(settings.kafka, topic, [(b"c_1", state), (b"c_1", None)])
    start_part(settings, "projections")
    until(lambda: ask("SELECT count() FROM profiles")[0][0] >= 1)
    until(lambda: ask("SELECT count() FROM profiles FINAL") == [(0,)])  # the two may come apart
    send(settings.kafka, topic, [(b"c_1", encode(Customer(customer_id="c_1", version=1)))])
    until(lambda: ask("SELECT version FROM customers") == [(1,)])


def test_dead_letters_are_a_table_and_redrives_are_not_letters(settings, ask, start_part):
    headers = [
        *[("source", b"shop"), ("reason", b"not_json"), ("where", b""), ("detail", b"no")],
        ("source", b"touchpoints/0/7"),
    ]
    mark = [("redriven", b"0")]
    sent = [(b"k", b"\xff{", headers), (b"k", None, mark)]
    send(settings.kafka, settings.topic(DEAD_LETTERS), sent)
    start_part(settings, "projections")
    until(lambda: ask("SELECT letter_offset FROM redrives") == [(0,)])
    assert ask("SELECT reason, source, value, headers FROM dead_letters") == [
        ("not_json", "touchpoints/0/7", "\\xff{", {"source": "shop"})
    ]


def _consumer(settings, **more):
    more |= {"auto_offset_reset": "earliest", "enable_auto_commit": False}
    return KafkaConsumer(bootstrap_servers=settings.kafka, group_id=group(settings), **more)
