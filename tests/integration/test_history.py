"""A partition read from its beginning up to an offset, beside whoever else reads it."""

import asyncio
from contextlib import closing

import pytest
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient
from kafka.structs import TopicPartition

from models.topics import EVENTS
from streams.lane.history import PORTION, history

pytestmark = pytest.mark.stack

HERE = 1
COUNT = 3 * PORTION


@pytest.fixture
def place(kafka_settings):
    """A partition of COUNT records, each numbered as its offset."""
    topic = kafka_settings.topic(EVENTS)
    with closing(KafkaProducer(bootstrap_servers=kafka_settings.brokers, acks="all")) as producer:
        for number in range(COUNT):
            producer.send(topic, b"%d" % number, b"key", partition=HERE)
        producer.flush()
    return topic, HERE


def read(settings, place, end):
    async def portions():
        return [portion async for portion in history(settings.brokers, place, end)]

    return asyncio.run(asyncio.wait_for(portions(), 60))


def numbers(portions):
    return [int(record.value) for _, records in portions for record in records]


def test_all_before_the_end_is_read_in_order_some_at_a_time(kafka_settings, place):
    portions = read(kafka_settings, place, COUNT - 10)
    assert numbers(portions) == list(range(COUNT - 10))
    assert max(len(records) for _, records in portions) <= PORTION
    positions = [position for position, _ in portions]
    assert positions == sorted(positions)
    assert positions[-1] >= COUNT - 10


def test_it_begins_where_the_log_does(kafka_settings, place):
    with closing(KafkaAdminClient(bootstrap_servers=kafka_settings.brokers)) as admin:
        admin.delete_records({TopicPartition(*place): 100})
    assert numbers(read(kafka_settings, place, 200)) == list(range(100, 200))


def test_nothing_is_read_of_an_empty_partition(kafka_settings):
    assert numbers(read(kafka_settings, (kafka_settings.topic(EVENTS), HERE), 0)) == []
