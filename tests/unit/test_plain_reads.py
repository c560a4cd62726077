"""A plain read is answered as soon as it is read, with what the application would have said."""

import asyncio

import pytest
import uvicorn
from uvicorn.server import ServerState

from infra.answers import Answers
from models.naming import derive
from projections.serve.app import build
from projections.serve.plain import PlainReads
from projections.serve.sources import Sources
from tests.support.customers import ANA, customer, record, rich

PATH = f"/v1/profiles/{ANA}"
KEY = "Authorization: Bearer test-api-key"
POINTER = "anonymous_id:b-1"


class Transport:
    """Notes what is sent."""

    def __init__(self):
        self.sent = b""
        self.closed = False

    def write(self, data):
        assert not self.closed
        self.sent += data

    def close(self):
        self.closed = True

    def is_closing(self):
        return self.closed

    def get_extra_info(self, name, default=None):
        return default

    def pause_reading(self):
        pass

    def resume_reading(self):
        pass


@pytest.fixture
def serve(make_settings):
    settings = make_settings()
    serve = build(settings, Sources(settings), follow=False)
    live = serve.state.sources.live
    live.now_ms = lambda: 1_780_000_000_000
    pointer = customer(POINTER, merged_into=derive(ANA))
    live.apply([record(rich()), record(pointer)])
    live.mark_ready()
    return serve


class Connection:
    """One connection to the server, short or not; `sent` is what came back."""

    def __init__(self, serve, short):
        config = uvicorn.Config(serve, log_config=None, access_log=False, server_header=False)
        config.load()
        self.state = ServerState()
        self.state.default_headers = [(b"date", b"Mon, 23 Nov 2026 08:00:00 GMT")]
        given = {"config": config, "server_state": self.state, "app_state": {}}
        self.protocol = PlainReads(serve.state.points, **given) if short else Answers(**given)
        self.transport = Transport()
        self.protocol.connection_made(self.transport)

    def send(self, data):
        self.protocol.data_received(data)

    async def settled(self):
        while self.state.tasks:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        return self.transport.sent, self.transport.closed, self.state.total_requests


def asked(path=PATH, *headers, method="GET", version="1.1", body=""):
    lines = [f"{method} {path} HTTP/{version}", "Host: c360", *headers, "", body]
    return "\r\n".join(lines).encode()


PLAIN = [
    asked(PATH, KEY),
    asked(PATH.replace("@", "%40"), KEY),
    asked(f"/v1/profiles/{derive(ANA)}/timeline", "X-API-Key: test-api-key"),
    asked(f"/v1/profiles/{POINTER}/scores", KEY),
    asked(PATH, KEY, "Connection: keep-alive", "If-None-Match: *"),
    asked(PATH, KEY, 'If-None-Match: "another-1"'),
    asked(PATH + "/offer", KEY, "Authorization: Bearer second"),
    asked(PATH, KEY) + asked(PATH + "/traits", KEY),
]
NOT_PLAIN = [
    asked(PATH),
    asked(PATH, "Authorization: Bearer wrong-api-key"),
    asked(PATH + "?timeout=1", KEY),
    asked(PATH + "#at", KEY),
    asked(PATH + "/shoes", KEY),
    asked("/v1/profiles/email:nobody@example.com", KEY),
    asked("/v1/stats", KEY),
    asked("/healthz"),
    asked(PATH, KEY, method="HEAD"),
    asked(PATH, KEY, method="POST"),
    asked(PATH, KEY, version="1.0"),
    asked(PATH, KEY, "Connection: keep-alive", version="1.0"),
    asked(PATH, KEY, "Connection: close"),
    asked(PATH, KEY, "Content-Length: 2", body="{}"),
    asked(PATH, KEY, "Expect: 100-continue"),
    b"GET " + PATH.encode() + b"\xff HTTP/1.1\r\n" + KEY.encode() + b"\r\n\r\n",
    b"nonsense\r\n\r\n",
]


@pytest.mark.parametrize("request_", PLAIN + NOT_PLAIN)
async def test_what_is_answered_is_byte_for_byte_what_the_application_answers(serve, request_):
    short, long = Connection(serve, True), Connection(serve, False)
    short.send(request_)
    at_once = short.transport.sent
    long.send(request_)
    assert await short.settled() == await long.settled()
    assert short.transport.sent
    if request_ in PLAIN:
        assert at_once == short.transport.sent
        assert at_once.startswith((b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 304 "))
    else:
        assert not at_once or at_once.startswith(b"HTTP/1.1 400 ")


async def test_a_plain_read_waits_for_the_answer_that_is_under_way_before_it(serve):
    short, long = Connection(serve, True), Connection(serve, False)
    for one in (short, long):
        one.send(asked("/v1/stats", KEY) + asked(PATH, KEY) + asked(PATH + "/offer", KEY))
    assert await short.settled() == await long.settled()
    assert short.transport.sent.count(b"HTTP/1.1 200 OK") == 3
    short.send(asked(PATH, KEY))
    assert short.transport.sent.count(b"HTTP/1.1 200 OK") == 4


async def test_a_request_that_comes_in_pieces_is_answered_when_it_is_whole(serve):
    short = Connection(serve, True)
    for byte in asked(PATH, KEY):
        assert not short.transport.sent
        short.send(bytes((byte,)))
    assert short.transport.sent.startswith(b"HTTP/1.1 200 OK\r\n")


async def test_nobody_is_written_to_who_does_not_read(serve):
    short = Connection(serve, True)
    short.protocol.pause_writing()
    short.send(asked(PATH, KEY))
    await asyncio.sleep(0)
    assert not short.transport.sent
    short.protocol.resume_writing()
    await short.settled()
    assert short.transport.sent.startswith(b"HTTP/1.1 200 OK\r\n")


async def test_what_was_not_foreseen_is_a_problem_as_ever(serve, monkeypatch):
    def fail(*_):
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(serve.state.sources.live, "locate", fail)
    short = Connection(serve, True)
    short.send(asked(PATH, KEY))
    sent, _, _ = await short.settled()
    assert sent.startswith(b"HTTP/1.1 500 ")
    assert b"urn:c360:internal-error" in sent
    assert b"hunter2" not in sent


async def test_a_connection_that_asks_no_more_is_closed(serve):
    short = Connection(serve, True)
    short.protocol.timeout_keep_alive = 0.01
    short.send(asked(PATH, KEY))
    await asyncio.sleep(0.05)
    assert short.transport.closed
