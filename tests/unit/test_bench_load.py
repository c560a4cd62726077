"""The measuring client: what it counts, and that it counts nothing but answers."""

import asyncio
import itertools
import time

import pytest

from tests.bench import load
from tests.bench.harness import StalledError

REQUEST = load.request("GET", "/", {})


class Server(asyncio.Protocol):
    """Answers as a list says: (seconds to wait, status); its last entry for ever."""

    def __init__(self, plan, asked):
        self.plan = plan
        self.asked = asked
        self.first = 0.0  # when its first answer went out, s

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.asked.append(self)
        wait, status = self.plan.pop(0) if len(self.plan) > 1 else self.plan[0]
        if status is None:
            self.transport.close()
            return
        answer = b"HTTP/1.1 %d x\r\nContent-Length: 2\r\n\r\n%d" % (status, status % 90)
        asyncio.get_running_loop().call_later(wait, self.transport.write, answer[:9])
        asyncio.get_running_loop().call_later(wait, self._end, answer[9:])

    def _end(self, rest):
        self.first = self.first or time.perf_counter()
        self.transport.write(rest)


async def served(measure, *plan):
    """Return what `measure` finds at a server that answers so, and who asked it."""
    plan, asked = list(plan), []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Server(plan, asked), "127.0.0.1", 0)
    async with server:
        return await measure(server.sockets[0].getsockname()[1]), asked


def run(measure, *plan):
    return load.run(lambda: served(measure, *plan))


def test_each_connection_is_let_in_and_answered_before_the_clock_starts():
    slow = [(0.3, 200)] * 4
    answers, asked = run(
        lambda port: load.open_loop(port, itertools.repeat(REQUEST), 4, 200, 0.1), *slow, (0, 200)
    )
    since = time.perf_counter() - max(one.first for one in asked)
    assert len(set(asked[:4])) == 4
    assert len(answers) == len(asked) - 4
    assert max(answers.seconds) < since  # what began before has taken longer


def test_an_open_loop_sends_at_its_rate_and_waiting_for_a_connection_counts():
    begun = time.perf_counter()
    answers, _ = run(
        lambda port: load.open_loop(port, itertools.repeat(REQUEST), 1, 100, 0.3), (0.05, 200)
    )
    assert len(answers) == 30
    assert time.perf_counter() - begun > 1.2  # one connection, 0.05 s each
    assert answers.seconds[-1] > 0.7


def test_a_closed_loop_keeps_all_its_connections_asking_until_there_is_nothing_left():
    requests = itertools.repeat(REQUEST, 4 + 20)
    answers, asked = run(lambda port: load.closed_loop(port, requests, 4, 60), (0.001, 200))
    assert (len(answers), len(asked), len(set(asked))) == (20, 24, 4)


def test_a_status_that_was_not_expected_is_told_with_its_body():
    plan = [(0, 200), (0, 200), (0, 503), (0, 503), (0, 404)]
    answers, _ = run(
        lambda port: load.closed_loop(port, itertools.repeat(REQUEST, 8), 1, 60), *plan
    )
    assert answers.statuses == {200: 1, 503: 2, 404: 4}
    answers.require(200, 404, 503)
    with pytest.raises(StalledError, match="2 answers 503: b'53'"):
        answers.require(200, 404)


@pytest.mark.parametrize("plan", [[(0, None)], [(0, 200), (0, None)]], ids=["warming", "asking"])
def test_a_lost_connection_ends_the_measurement(plan):
    with pytest.raises(ConnectionError):
        run(lambda port: load.closed_loop(port, itertools.repeat(REQUEST), 1, 60), *plan)


def test_a_connection_that_was_closed_meanwhile_is_an_error_when_it_is_asked():
    async def ask(port):
        (one,) = await load.connect(port, 1)
        one.close()
        await asyncio.sleep(0.01)
        return await one.ask(REQUEST)

    with pytest.raises(ConnectionError):
        run(ask, (0, 200))
