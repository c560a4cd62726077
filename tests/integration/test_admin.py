"""The topics on a real broker."""

from pathlib import Path

import pytest

from infra.admin import client, create_topics
from infra.errors import UserError
from models.topics import CATALOGUE, EVENTS, PROFILES

pytestmark = pytest.mark.stack


def test_every_topic_of_the_catalogue_is_created_once(make_settings, broker):
    settings = make_settings(kafka=broker)
    assert create_topics(settings) == [settings.topic(topic) for topic in CATALOGUE]
    assert create_topics(settings) == []


def test_topics_keyed_by_customer_are_partitioned_alike(kafka_settings):
    with client(kafka_settings) as admin:
        described = admin.describe_topics(
            [kafka_settings.topic(topic) for topic in (EVENTS, PROFILES)]
        )
    assert [len(topic["partitions"]) for topic in described] == [4, 4]


def test_a_topic_with_another_partition_count_stops_the_start(kafka_settings):
    with pytest.raises(UserError, match="has 4 partitions, not 6") as refused:
        create_topics(kafka_settings.model_copy(update={"partitions": 6}))
    assert "C360_PARTITIONS" in refused.value.remedy


def test_no_broker_is_said_with_what_to_do(make_settings):
    with pytest.raises(UserError, match="Kafka does not answer") as refused:
        create_topics(make_settings())
    assert "c360 up" in refused.value.remedy


def test_a_part_of_the_system_runs_with_the_settings_it_was_given(
    kafka_settings, start_part, tmp_path: Path
):
    part = start_part(kafka_settings, "tests.none")
    assert part.process.wait(120) == 1
    assert "No module named" in part.tail()
