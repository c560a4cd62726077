"""Two workers: each keeps copies of what the other has, and takes it over from there."""

import asyncio
from collections import Counter

import pytest

from models.topics import PROFILES
from tests.support.changelog import recovered
from tests.support.counting import WORKER, counted, events, produce, status, until_counted
from tests.support.waiting import until

pytestmark = pytest.mark.stack


@pytest.mark.parametrize("state", ["memory", "disk"])
def test_what_a_worker_had_goes_on_from_the_others_copy(kafka_settings, start_part, state):
    here = kafka_settings.model_copy(update={"state": state})
    there = here.model_copy(update={"worker_port": here.ingest_port})
    first = start_part(here, WORKER, instance="w1")
    second = start_part(there, WORKER, instance="w2")

    def shared():
        return [len(status(one).get("standby", {}).get("counts", ())) for one in (here, there)]

    until(lambda: shared() == [2, 2], 120, first.tail() + second.tail())
    asyncio.run(produce(here, events(2_000)))
    until_counted(here, 2_000, first)
    copies = recovered(here.brokers, here.topic(PROFILES), range(4))
    ends = {str(number): copy.store.stamp.position for number, copy in copies.items()}

    def level():
        found = status(there).get("standby", {}).get("counts")  # nothing from one too busy to say
        return found and found == {number: ends[number] for number in found}

    until(level, 120, "the copies are level")
    assert first.stop() == 0, first.tail()

    def taken_over():
        return sum(status(there).get("tables", {}).get("counts", {}).values()) == 20

    until(taken_over, 120, second.tail())
    asyncio.run(produce(here, events(2_000)))
    assert until_counted(here, 4_000, second) == counted(here)
    assert counted(here) == Counter({b"key-%d" % number: 200 for number in range(20)})
    assert until(lambda: status(there))["standby"]["counts"] == {}
