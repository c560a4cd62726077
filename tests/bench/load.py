"""A light HTTP client for measuring: keep-alive connections that send ready-made requests.

It shares the machine with what it measures: of an answer it reads status and length, no more, and
keeps its time alone. So nothing is made that Python's search for garbage would have to look at.
"""

import asyncio
import gc
import time
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterator

import uvloop

from tests.bench.harness import StalledError


class Answer:
    """One answer: its status, its body, and how long it took, s."""

    __slots__ = ("body", "seconds", "status")

    def __init__(self, status: int, body: bytes, seconds: float) -> None:
        self.status = status
        self.body = body
        self.seconds = seconds


class Answers:
    """Many answers: how long each took, s, how many had which status, and the first of each."""

    def __init__(self) -> None:
        self.seconds = array("d")
        self.statuses: Counter[int] = Counter()
        self._first: dict[int, bytes] = {}

    def __len__(self) -> int:
        return len(self.seconds)

    def add(self, status: int, answer: bytes, seconds: float) -> None:
        """Count one more in."""
        self.seconds.append(seconds)
        self.statuses[status] += 1
        if status not in self._first:
            self._first[status] = _body(answer)

    def first(self, status: int) -> bytes:
        """Return the body of the first answer of a status. Raises KeyError when there was none."""
        return self._first[status]

    def require(self, *statuses: int) -> None:
        """Raise StalledError when there was a status other than these."""
        for status, number in self.statuses.items():
            if status not in statuses:
                raise StalledError(f"{number} answers {status}: {self.first(status)[:300]!r}")


class Connection(asyncio.Protocol):
    """One keep-alive connection: one request at a time, `send` calls back, `ask` is awaited."""

    def __init__(self) -> None:
        self.due = 0.0  # when its request was to be sent, s
        self._transport: asyncio.Transport | None = None
        self._gone: Exception | None = None
        self._got = b""
        self._then: Then | None = None
        self._lost: Callable[[Exception], None] = _nobody

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def send(
        self,
        request: bytes,
        then: "Then",
        lost: Callable[[Exception], None],
    ) -> None:
        """Send a request; the answer before must be there. `then` gets status and answer."""
        if self._gone is not None:
            lost(self._gone)
            return
        self._then, self._lost = then, lost
        self._transport.write(request)

    def ask(self, request: bytes) -> asyncio.Future[Answer]:
        """Send a request and return its answer to be."""
        waiting: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        begun = time.perf_counter()

        def then(_: Connection, status: int, answer: bytes) -> None:
            waiting.set_result(Answer(status, _body(answer), time.perf_counter() - begun))

        self.send(request, then, waiting.set_exception)
        return waiting

    def data_received(self, data: bytes) -> None:
        self._got += data
        end = self._got.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._got[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r", 1)[0]) if at >= 0 else 0
        if len(self._got) < end + 4 + length:
            return
        answer, self._got = self._got, b""
        then, self._then, self._lost = self._then, None, _nobody
        then(self, int(head[9:12]), answer)

    def connection_lost(self, error: Exception | None) -> None:
        self._gone = error or ConnectionResetError("closed")
        self._lost(self._gone)

    def close(self) -> None:
        self._transport.close()


Then = Callable[[Connection, int, bytes], None]


def _nobody(_: Exception) -> None:
    """Tell nobody: nothing was asked."""


def _body(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """Return one request's bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: bench"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


async def connect(port: int, connections: int) -> list[Connection]:
    """Open connections to 127.0.0.1."""
    loop = asyncio.get_running_loop()
    return [
        (await loop.create_connection(Connection, "127.0.0.1", port))[1] for _ in range(connections)
    ]


async def warm(port: int, connections: int, requests: Iterator[bytes]) -> list[Connection]:
    """Open connections that were let in and answered once, as those of a client's pool are."""
    opened = await connect(port, connections)
    await asyncio.gather(*(each.ask(sent) for each, sent in zip(opened, requests, strict=False)))
    return opened


class _Asking:
    """Connections that send what `next_` gives (request, when it is due) as soon as one is free."""

    def __init__(
        self, connections: list[Connection], next_: Callable[[], tuple[bytes, float] | None]
    ) -> None:
        self._answers = Answers()
        self._all = len(connections)
        self._free = deque(connections)
        self._next = next_
        self._ending = False
        self._ended = asyncio.get_running_loop().create_future()

    def go(self) -> None:
        """Send what can be sent."""
        while self._free and (planned := self._next()) is not None:
            connection = self._free.popleft()
            request, connection.due = planned
            connection.send(request, self._answered, self._fail)

    async def end(self) -> Answers:
        """Wait for the last answer, and close. Raises what a connection was lost by."""
        self._ending = True
        if len(self._free) < self._all:
            await self._ended
        for each in self._free:
            each.close()
        return self._answers

    def _answered(self, connection: Connection, status: int, answer: bytes) -> None:
        self._answers.add(status, answer, time.perf_counter() - connection.due)
        self._free.append(connection)
        self.go()
        if self._ending and len(self._free) == self._all and not self._ended.done():
            self._ended.set_result(None)

    def _fail(self, error: Exception) -> None:
        if not self._ended.done():
            self._ended.set_exception(error)


async def closed_loop(
    port: int, requests: Iterator[bytes], connections: int, seconds: float
) -> Answers:
    """Keep so many requests in flight for `seconds`, or until there are none left."""
    opened = await warm(port, connections, requests)
    end = time.perf_counter() + seconds

    def next_() -> tuple[bytes, float] | None:
        now = time.perf_counter()
        sent = next(requests, None) if now < end else None
        return None if sent is None else (sent, now)

    asking = _Asking(opened, next_)
    asking.go()
    return await asking.end()


async def open_loop(
    port: int, requests: Iterator[bytes], connections: int, rate: float, seconds: float
) -> Answers:
    """Send `rate` requests a second, whether answers come or not; time counts from the plan.

    A request that finds no free connection waits, and its waiting is in its time: what a
    slow server holds up is not left out.
    """
    opened = await warm(port, connections, requests)
    waiting: deque[tuple[bytes, float]] = deque()
    asking = _Asking(opened, lambda: waiting.popleft() if waiting else None)
    begun = time.perf_counter()
    number, planned = 0, rate * seconds
    while number < planned:  # also what fell due while this client itself was held up
        now = time.perf_counter() - begun
        while number < min(now * rate, planned):
            waiting.append((next(requests), begun + number / rate))
            number += 1
        asking.go()
        await asyncio.sleep(0.001)
    return await asking.end()


def run(work):
    """Run a coroutine function on uvloop. What was there before is not searched for garbage."""
    gc.collect()
    gc.freeze()
    try:
        return uvloop.run(work())
    finally:
        gc.unfreeze()
