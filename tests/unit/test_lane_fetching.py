"""Fetching ends quietly when the worker stops, loudly when anything else cancels it."""

import asyncio
import sys
import threading
from types import SimpleNamespace

import pytest
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from models.topics import EVENTS
from streams.lane import App
from streams.lane import app as apps
from streams.lane.app import TURN
from streams.lane.conf import conf
from streams.lane.engine import BatchConsumer
from streams.lane.fetch import HELD_UP, LONGEST, Fetching, SameLoop


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


async def test_a_thread_that_reads_from_disk_need_not_wait_for_a_turn(make_settings, monkeypatch):
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
    fetching = Fetching.__new__(Fetching)
    await fetching.on_start()
    fetcher = fetching._consumer._fetcher
    assert fetcher._prefetch_backoff == HELD_UP <= 0.01
    assert fetcher._fetch_max_wait_ms == LONGEST <= 100


class Serving:
    """A service as mode has it: it serves until stopped, and says when it is at its end."""

    def __init__(self, error=None):
        self.thread, self.loop, self.ended = None, None, False
        self._error = error

    async def _serve(self):
        self.thread, self.loop = threading.current_thread(), asyncio.get_running_loop()
        if self._error:
            raise self._error

    def set_shutdown(self):
        self.ended = True


async def test_the_consumer_runs_on_the_loop_that_starts_it():
    service = Serving()
    SameLoop(service).start()
    await asyncio.sleep(0)
    assert service.thread is threading.current_thread()
    assert service.loop is asyncio.get_running_loop()
    assert not service.ended


async def test_whoever_waits_for_a_consumer_that_failed_hears_of_its_end():
    service = Serving(RuntimeError("no broker"))
    running = SameLoop(service)
    running.start()
    await asyncio.wait([running._serving])
    assert service.ended
    assert running._serving.exception() is None
