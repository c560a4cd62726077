"""A meter runs what it times as awaiting would, and counts that one's own steps alone."""

import asyncio

import pytest

from streams.lane import meter
from streams.lane.meter import Meter


@pytest.fixture
def clock(monkeypatch):
    clock = [5.0]
    monkeypatch.setattr(meter, "thread_time", lambda: clock[0])
    return clock


async def test_what_others_do_while_it_waits_is_not_counted(clock):
    counting, turn, told = Meter(), asyncio.Event(), []

    async def work():
        clock[0] += 10.0
        counting.restart()
        clock[0] += 1.0
        await turn.wait()
        clock[0] += 2.0
        told.append(counting.seconds())

    running = asyncio.ensure_future(counting.run(work()))
    await asyncio.sleep(0)
    clock[0] += 100.0
    turn.set()
    await running
    assert told == [3.0]


async def test_a_cancellation_reaches_what_it_runs_and_comes_back(clock):
    ended = []

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # it may still wait on its way out
            ended.append(True)

    running = asyncio.ensure_future(Meter().run(work()))
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended == [True]


async def test_an_error_within_is_raised_and_one_that_is_caught_is_not(clock):
    async def fails():
        raise KeyError("within")

    async def survives():
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 0)
        except TimeoutError:
            await asyncio.sleep(0)

    with pytest.raises(KeyError):
        await asyncio.ensure_future(Meter().run(fails()))
    await asyncio.ensure_future(Meter().run(survives()))
