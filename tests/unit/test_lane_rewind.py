"""A tenure begins where the group's commits are, and only when nothing is on its way any more."""

import asyncio

import pytest
from faust.types.tuples import TP

from models.topics import EVENTS
from streams.lane import App
from streams.lane.conf import conf

KNOWN, FRESH = TP("t.events", 0), TP("t.events", 1)


class Thread:
    """Stands where the consumer's thread is, and tells what was asked of it."""

    def __init__(self):
        self.sought = {}

    async def earliest_offsets(self, *places):
        return dict.fromkeys(places, 7)

    async def seek_wait(self, positions):
        self.sought.update(positions)


@pytest.fixture
async def consumer(make_settings, monkeypatch):
    app = App("rewind", topics=[EVENTS], **conf(make_settings(topic_prefix="t.")))

    async def ignored(*_, **__):
        pass

    consumer = app.transport.create_consumer(
        callback=ignored, on_partitions_revoked=ignored, on_partitions_assigned=ignored
    )
    consumer._thread = Thread()
    committed = asyncio.Event()
    committed.set()
    consumer.may_answer = committed

    async def seek_to_committed():
        await committed.wait()
        return {KNOWN: 40, FRESH: 0}

    monkeypatch.setattr(consumer, "seek_to_committed", seek_to_committed)
    monkeypatch.setattr(consumer, "assignment", lambda: {KNOWN, FRESH})
    app.fence.begin(3, {KNOWN, FRESH})
    return consumer


async def test_positions_are_the_commits_and_the_beginning_where_there_is_none(consumer):
    await consumer.rewind()
    assert consumer.fence.ready
    assert consumer._thread.sought == {FRESH: 7}
    assert (consumer.offsets.done(KNOWN), consumer.offsets.done(FRESH)) == (40, None)


async def test_a_fetch_that_is_on_its_way_is_waited_for(consumer):
    await consumer._fetching.acquire()
    rewinding = asyncio.create_task(consumer.rewind())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not consumer.fence.ready
    consumer._fetching.release()
    await rewinding
    assert consumer.fence.ready


async def test_a_tenure_that_ended_meanwhile_is_not_opened(consumer):
    consumer.may_answer.clear()
    rewinding = asyncio.create_task(consumer.rewind())
    await asyncio.sleep(0)
    consumer.fence.begin(4, {KNOWN})
    consumer.may_answer.set()
    await rewinding
    assert not consumer.fence.ready
    assert consumer.offsets.done(KNOWN) is None


async def test_the_longest_pause_is_half_of_what_the_group_waits(consumer):
    app = consumer.app
    assert app.fence.longest_pause == app.conf.broker_session_timeout / 2
