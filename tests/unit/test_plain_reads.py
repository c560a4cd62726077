"""A plain read is answered as soon as it is read, with what the application would have said."""

import asyncio
from urllib.parse import unquote

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.server import ServerState

from infra import answers
from infra.answers import Answers
from models.naming import derive
from projections.serve import plain, points
from projections.serve.app import build
from projections.serve.plain import PlainReads
from projections.serve.sources import Sources
from tests.support.customers import ANA, customer, record, rich
from tests.support.idle_clock import run

PATH = f"/v1/profiles/{ANA}"
KEY = "Authorization: Bearer test-api-key"
POINTER = "anonymous_id:b-1"


class Transport:
    """Notes what is sent."""

    def __init__(self):
        self.sent = b""
        self.closed = False
        self.late = False  # something was written to who was gone

    def write(self, data):
        self.late |= self.closed
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
        assert not self.transport.late
        return self.transport.sent, self.transport.closed, self.state.total_requests


def asked(path=PATH, *headers, method="GET", version="1.1", body=""):
    lines = [f"{method} {path} HTTP/{version}", "Host: c360", *headers, "", body]
    return "\r\n".join(lines).encode()


PLAIN = [
    asked(PATH, KEY),
    asked(PATH.replace("@", "%40"), KEY),
    asked(f"/v1/profiles/{derive(ANA)}/timeline", "X-API-Key: test-api-key"),
    asked(PATH + "/timeline", "X-API-Key: test-api-key", "Authorization:"),
    asked(f"/v1/profiles/{POINTER}/scores", KEY),
    asked(PATH + "/identity", KEY),
    asked(PATH, KEY, "Connection: keep-alive", "If-None-Match: *"),
    asked(PATH, KEY, 'If-None-Match: "another-1"'),
    asked(PATH + "/offer", KEY, "Authorization: Bearer second"),
    asked(PATH, KEY) + asked(PATH + "/traits", KEY),
    asked(PATH, KEY, version="1.0"),
    asked(PATH, KEY, "Connection: keep-alive", version="1.0"),
    asked(PATH, KEY, "Connection: close"),
    asked(PATH, KEY, "Connection: close") + asked(PATH, KEY),
    asked("/v1/profiles/email:nobody@example.com", KEY),
    asked("/v1/profiles/email:no'body\"@example.com/offer", KEY, 'If-None-Match: "another-1"'),
    asked("/v1/profiles/%EC%82%AC%ED%8C%8C%ff/timeline", KEY),
]
NOT_PLAIN = [
    asked(PATH),
    asked(PATH, "Authorization: Bearer wrong-api-key"),
    asked(PATH + "?timeout=1", KEY),
    asked(PATH + "#at", KEY),
    asked(PATH, "X-API-Key:", "Authorization:"),
    asked(PATH + "/", KEY),
    asked(PATH + "/shoes", KEY),
    asked(PATH + "/offer/now", KEY),
    asked("/v1/profiles/", KEY),
    asked("/v1/profiles//offer", KEY),
    asked("/v1/profiles/%2Foffer", KEY),
    asked("/v1/stats", KEY),
    asked("/healthz"),
    asked(PATH, KEY, method="HEAD"),
    asked(PATH, KEY, method="POST"),
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
        assert at_once.startswith(tuple(b"HTTP/1.1 %d " % one for one in (200, 304, 404)))
    else:
        assert not at_once or at_once.startswith(b"HTTP/1.1 400 ")


async def both(serve, *requests):
    """Send requests one after another, each when the one before is answered; compare each time."""
    short, long = Connection(serve, True), Connection(serve, False)
    for one in requests:
        for connection in (short, long):
            if not connection.transport.closed:
                connection.send(one)
        assert await short.settled() == await long.settled()
    return short.transport.sent


@pytest.mark.parametrize("request_", PLAIN + NOT_PLAIN)
async def test_known_headers_change_nothing_in_what_is_answered(serve, request_):
    again = asked(PATH, KEY)
    await both(serve, again, request_, again, request_)
    await both(serve, request_, request_, again)


@given(st.text("%34A0:a", max_size=12))
def test_escapes_are_read_as_the_framework_reads_them(text):
    assert plain._unquoted(text.encode()) == unquote(text)


async def test_known_headers_are_answered_without_being_parsed(serve, monkeypatch):
    short = Connection(serve, True)
    short.send(asked(PATH, KEY))
    monkeypatch.setattr(short.protocol, "on_headers_complete", lambda: pytest.fail("parsed"))
    for path in (PATH, PATH.replace("@", "%40"), PATH + "/scores", f"/v1/profiles/{POINTER}"):
        sent = len(short.transport.sent)
        short.send(asked(path, KEY))
        assert short.transport.sent[sent:].startswith(b"HTTP/1.1 200 OK\r\n")
    assert short.state.total_requests == 5


TAIL = b"Host: c360\r\n\r\n"


@pytest.mark.parametrize(
    "unlike",
    [
        asked(PATH),
        asked(PATH, "Authorization: Bearer wrong-api-key"),
        asked(PATH, KEY, method="DELETE"),
        asked(PATH, KEY, method="HEAD"),
        asked(PATH, KEY, version="1.0"),
        asked(PATH + "?at=2020-01-01", KEY),
        asked(PATH + "?at=2020", KEY),
        asked("/v1/stats", KEY),
        asked(PATH, KEY) + asked(PATH, KEY),
        asked(PATH, KEY) + b"GET",
        b"\r\n" + asked(PATH, KEY),
        asked(PATH, KEY).replace(b" HTTP", b"  HTTP"),
        asked(PATH, KEY).replace(b"\r\n", b"\n"),
        asked(PATH, KEY).replace(b"GET", b"get"),
        asked(PATH, KEY).replace(b"@", b"%2"),
        asked(PATH, KEY).replace(b"@", b"%ff"),
        asked(PATH, KEY).replace(b"@", b"%2Ftimeline"),
    ],
)
async def test_what_is_like_a_known_request_only_in_part_is_read_for_what_it_is(serve, unlike):
    await both(serve, asked(PATH, KEY), unlike)
    await both(serve, asked(PATH, KEY), unlike[:60], unlike[60:], asked(PATH, KEY))


async def test_headers_are_known_whole_never_by_what_follows_a_key(serve):
    """A bare line feed ends a header for some readers: then the key is in the first line."""
    line = f"GET {PATH} HTTP/1.1"
    short = Connection(serve, True)
    short.send(f"{line}\n{KEY}\r\n".encode() + TAIL)
    await short.settled()
    thief = Connection(serve, True)
    thief.send(f"{line}\r\n".encode() + TAIL)
    sent, _, _ = await thief.settled()
    assert sent.startswith(b"HTTP/1.1 401 ")


async def test_headers_that_are_known_are_kept_as_digests_and_not_without_end(serve, monkeypatch):
    monkeypatch.setattr(points, "_HEADS", 3)
    for number in range(10):
        Connection(serve, True).send(asked(PATH, KEY, f"X-Trace: {number}"))
        heads = serve.state.points._heads
        assert 1 <= len(heads) <= 3
        assert {len(one) for one in heads} == {16}


async def test_the_date_is_that_of_the_answer(serve):
    short = Connection(serve, True)
    short.send(asked(PATH, KEY))
    short.state.default_headers = [(b"date", b"Tue, 24 Nov 2026 08:00:00 GMT")]
    sent = len(short.transport.sent)
    short.send(asked(PATH, KEY))
    assert b"\r\ndate: Tue, 24 Nov 2026 08:00:00 GMT\r\n" in short.transport.sent[sent:]
    assert b"date: Mon" not in short.transport.sent[sent:]


def test_who_goes_on_asking_is_not_closed_and_then_is(serve):
    async def ask():
        short = Connection(serve, True)
        short.protocol.timeout_keep_alive = 0.1
        for _ in range(6):
            short.send(asked(PATH, KEY))
            await asyncio.sleep(0.09)
        assert not short.transport.closed
        await asyncio.sleep(0.02)
        assert short.transport.closed

    run(ask())


async def test_who_was_answered_at_once_is_not_given_up_as_one_who_never_ends_a_head(
    serve, monkeypatch
):
    monkeypatch.setattr(answers, "PATIENCE", 0.05)
    known, new = Connection(serve, True), Connection(serve, True)
    new.send(asked(PATH, KEY))
    known.send(asked(PATH, KEY))
    await asyncio.sleep(0.1)
    assert not known.transport.closed
    assert not new.transport.closed


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
    async with asyncio.timeout(60):
        while not short.transport.closed:
            await asyncio.sleep(0.01)
