"""How fetching ends: quietly when the worker stops, loudly when anything else cancels it."""

import asyncio
from types import SimpleNamespace

import pytest

from streams.lane.engine import BatchConsumer


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
