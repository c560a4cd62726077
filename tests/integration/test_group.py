"""Who is in the workers' group, and who has left it."""

import pytest

from infra.group import leave, members
from tests.support.counting import WORKER, status
from tests.support.waiting import until

pytestmark = pytest.mark.stack


def test_a_killed_worker_is_out_of_the_group_when_somebody_leaves_in_its_name(
    kafka_settings, start_part, monkeypatch
):
    monkeypatch.setenv("SESSION", "300")  # who was killed stays so long by itself
    group = kafka_settings.topic_prefix + "counting"
    part = start_part(kafka_settings, WORKER)
    until(lambda: status(kafka_settings).get("ready"), 120, part.tail())
    part.kill()
    assert [one.instance for one in members(kafka_settings, group)] == [kafka_settings.instance]
    leave(kafka_settings, group, kafka_settings.instance)
    assert members(kafka_settings, group) == []
    leave(kafka_settings, group, kafka_settings.instance)  # it is no member any more


def test_leaving_without_a_broker_does_nothing(make_settings):
    leave(make_settings(kafka="127.0.0.1:9"), "group", "w0")
