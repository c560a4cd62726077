"""An answer leaves in one send, nothing that was written stays behind; no head is without end."""

import asyncio

import pytest
import uvicorn
from uvicorn.server import ServerState

from infra import answers
from infra.answers import LARGEST_HEAD, Answers, InPairs


class Transport:
    """Notes what is sent."""

    def __init__(self):
        self.sent = []
        self.closed = False

    def write(self, data):
        assert not self.closed
        self.sent.append(data)

    def close(self):
        self.closed = True

    def is_closing(self):
        return self.closed

    def get_extra_info(self, name):
        return name


@pytest.fixture
async def pair():
    inner = Transport()
    return inner, InPairs(inner)


async def test_head_and_body_are_sent_as_one_at_once(pair):
    inner, transport = pair
    transport.write(b"head ")
    transport.write(b"body")
    assert inner.sent == [b"head body"]
    await asyncio.sleep(0)
    assert inner.sent == [b"head body"]


async def test_what_comes_alone_is_sent_in_the_next_turn(pair):
    inner, transport = pair
    transport.write(b"head")
    assert inner.sent == []
    await asyncio.sleep(0)
    assert inner.sent == [b"head"]


async def test_an_empty_body_sends_the_head(pair):
    inner, transport = pair
    transport.write(b"head")
    transport.write(b"")
    assert inner.sent == [b"head"]
    transport.write(b"")
    await asyncio.sleep(0)
    assert inner.sent == [b"head"]


async def test_what_waits_is_sent_before_the_connection_closes_and_nothing_after(pair):
    inner, transport = pair
    transport.write(b"bye")
    transport.close()
    assert (inner.sent, inner.closed) == ([b"bye"], True)
    transport.write(b"late")
    await asyncio.sleep(0)
    assert inner.sent == [b"bye"]


async def test_a_long_answer_keeps_its_order(pair):
    inner, transport = pair
    parts = [b"%d," % number for number in range(7)]
    for part in parts:
        transport.write(part)
    await asyncio.sleep(0)
    assert b"".join(inner.sent) == b"".join(parts)


async def test_all_else_is_the_transports_own(pair):
    assert pair[1].get_extra_info("peername") == "peername"


async def fine(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


@pytest.fixture
async def port():
    """Serve on loopback."""
    config = uvicorn.Config(fine, log_config=None, access_log=False)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    made = await loop.create_server(
        lambda: Answers(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    async with made:
        yield made.sockets[0].getsockname()[1]


async def told(port, *pieces):
    """Send the pieces one by one, each read before the next; return all that comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.005)
        return await asyncio.wait_for(reader.read(), 60)
    except ConnectionError:  # it hung up while we spoke
        return await asyncio.wait_for(reader.read(), 60)
    finally:
        writer.close()


PIECE = b"a" * (LARGEST_HEAD // 8)


@pytest.mark.parametrize(
    "begin",
    [b"GET /", b"GET / HTTP/1.1\r\nhost: x\r\nx-long: ", b"GET / HTTP/1.1\r\nhost: x\r\n"],
    ids=["line", "header", "headers"],
)
async def test_a_head_without_end_is_not_heard_out(port, begin):
    more = b"x: " + PIECE + b"\r\n" if begin.endswith(b"\r\n") else PIECE
    assert b" 431 " in (await told(port, begin, *[more] * 8)).split(b"\r\n")[0]


async def test_trailers_without_end_are_not_heard_out(port):
    head = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
    assert await told(port, head, *[b"x: " + PIECE + b"\r\n"] * 8) == b""


async def test_a_long_head_and_many_short_ones_are_heard(port):
    one = b"GET / HTTP/1.1\r\nhost: x\r\nx-long: %b\r\n\r\n" % (b"a" * (LARGEST_HEAD - 100))
    last = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    assert (await told(port, one, one, one, last)).count(b" 204 ") == 4


async def test_a_body_longer_than_any_head_is_heard(port):
    size = 4 * LARGEST_HEAD
    head = b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % size
    assert b" 204 " in await told(port, head, *[PIECE] * (size // len(PIECE)))


@pytest.mark.parametrize("begin", [[], [b"GET / HT", b"TP/1.1\r\nho"]], ids=["silent", "slow"])
async def test_who_never_ends_a_head_is_not_waited_for(port, monkeypatch, begin):
    monkeypatch.setattr(answers, "PATIENCE", 0.1)
    assert await told(port, *begin) == b""


async def test_who_begins_another_request_and_stops_is_not_waited_for(port, monkeypatch):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    assert b" 204 " in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
    monkeypatch.setattr(answers, "PATIENCE", 0.1)
    writer.write(b"GET /")
    assert await asyncio.wait_for(reader.read(), 60) == b""
    writer.close()
