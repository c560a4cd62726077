"""A light HTTP client for measuring: keep-alive connections that send ready-made requests.

It shares the machine with what it measures: of an answer it reads status and length, no more.
"""

import asyncio
import time
from collections.abc import Iterator

import uvloop


class Answer:
    """One answer: its status, its body, and how long it took, s."""

    __slots__ = ("body", "seconds", "status")

    def __init__(self, status: int, body: bytes, seconds: float) -> None:
        self.status = status
        self.body = body
        self.seconds = seconds


class Connection(asyncio.Protocol):
    """One keep-alive connection: `ask` sends a request and waits for its answer."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._got = b""
        self._waiting: asyncio.Future[Answer] | None = None
        self._begun = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def ask(self, request: bytes) -> asyncio.Future[Answer]:
        """Send a request; the answer before must be there."""
        self._waiting = asyncio.get_running_loop().create_future()
        self._begun = time.perf_counter()
        self._transport.write(request)
        return self._waiting

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
        body, self._got = self._got[end + 4 :], b""
        self._waiting.set_result(Answer(int(head[9:12]), body, time.perf_counter() - self._begun))

    def connection_lost(self, error: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error or ConnectionResetError("closed"))

    def close(self) -> None:
        self._transport.close()


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


async def closed_loop(
    port: int, requests: Iterator[bytes], connections: int, seconds: float
) -> list[Answer]:
    """Keep so many requests in flight for `seconds`, or until there are none left."""
    answers: list[Answer] = []
    end = time.perf_counter() + seconds

    async def one(connection: Connection) -> None:
        for sent in requests:
            answers.append(await connection.ask(sent))
            if time.perf_counter() >= end:
                break
        connection.close()

    await asyncio.gather(*(one(each) for each in await connect(port, connections)))
    return answers


async def open_loop(
    port: int, requests: Iterator[bytes], connections: int, rate: float, seconds: float
) -> list[Answer]:
    """Send `rate` requests a second, whether answers come or not; time counts from the plan.

    A request that finds no free connection waits, and its waiting is in its time: what a
    slow server holds up is not left out.
    """
    answers: list[Answer] = []
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for each in await connect(port, connections):
        free.put_nowait(each)
    tasks: set[asyncio.Task[None]] = set()

    async def one(sent: bytes, due: float) -> None:
        connection = await free.get()
        answer = await connection.ask(sent)
        answer.seconds = time.perf_counter() - due
        answers.append(answer)
        free.put_nowait(connection)

    begun = time.perf_counter()
    number = 0
    while (now := time.perf_counter() - begun) < seconds:
        while number < now * rate:
            task = asyncio.ensure_future(one(next(requests), begun + number / rate))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            number += 1
        await asyncio.sleep(0.001)
    await asyncio.gather(*tasks)
    while not free.empty():
        free.get_nowait().close()
    return answers


def run(work):
    """Run a coroutine function on uvloop."""
    return uvloop.run(work())
