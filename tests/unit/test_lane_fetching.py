"""Fetching ends quietly when the worker stops, loudly when anything else cancels it."""

import asyncio
import sys
from types import SimpleNamespace

import pytest
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from models.topics import EVENTS
from streams.lane import App
from streams.lane import app as apps
from streams.lane.app import TURN
from streams.lane.conf import conf
from streams.lane.engine import BatchConsumer
from streams.lane.fetch import HELD_UP, LONGEST, FetchThread


def cancelled(*, stopping):
    """Cancel the loop while it waits for the flow; return how it ended."""
    consumer = BatchConsumer.__new__(BatchConsumer)
    consumer.app = SimpleNamespace(should_stop=stopping)
    consumer._stopped = asyncio.Event()
    consumer.flow_active = False
    consumer.can_resume_flow = None
    consumer.wait = lambda _: asyncio.sleep(60)

    async def cancel():
        task = asyncio.ensure_future(
            consumer._drain_messages(SimpleNamespace(_stopped=asyncio.Event()))
        )
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await task

    asyncio.run(cancel())


def test_a_worker_that_stops_while_partitions_move_has_not_crashed():
    cancelled(stopping=True)


def test_a_fetcher_that_is_cancelled_for_another_reason_is_told_of():
    with pytest.raises(asyncio.CancelledError):
        cancelled(stopping=False)


async def test_the_thread_that_fetches_need_not_wait_for_a_turn(make_settings, monkeypatch):
    async def done(*_):
        pass

    app = App("turns", topics=[EVENTS], **conf(make_settings()))
    monkeypatch.setattr(apps, "check_topics", done)
    monkeypatch.setattr(app.keeper, "prepare", done)
    monkeypatch.setattr(app.publisher, "start", done)
    before = sys.getswitchinterval()
    try:
        await app.on_first_start()
        assert sys.getswitchinterval() == pytest.approx(TURN)
        assert before > TURN
    finally:
        app._watcher.cancel()
        sys.setswitchinterval(before)


async def test_a_partition_that_is_not_read_on_holds_up_no_other(monkeypatch):
    async def connected(self):
        self._consumer = SimpleNamespace(_fetcher=SimpleNamespace())

    monkeypatch.setattr(AIOKafkaConsumerThread, "on_start", connected)
    thread = FetchThread.__new__(FetchThread)
    await thread.on_start()
    fetcher = thread._consumer._fetcher
    assert fetcher._prefetch_backoff == HELD_UP <= 0.01
    assert fetcher._fetch_max_wait_ms == LONGEST <= 100
