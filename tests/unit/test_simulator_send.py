"""The simulator sends as a client should: patient with a busy server, plain about a refusal."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from infra.errors import UserError
from infra.simulator.send import Sender

EVENTS = [{"event_id": "a"}, {"event_id": "b"}]


@pytest.fixture
def server():
    """A server that gives the answers in `answers`, the last one for ever."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["content-length"])
            served.bodies.append(json.loads(self.rfile.read(length)))
            served.keys.append(self.headers["authorization"])
            answers = served.answers
            status, headers = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_):
            """Keep the test's output clean."""

    served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.bodies, served.keys, served.answers = [], [], [(200, {})]
    served.url = f"http://127.0.0.1:{served.server_port}"
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield served
    served.shutdown()
    served.server_close()


async def test_a_busy_server_gets_the_same_events_again_until_it_takes_them(server):
    server.answers = [(503, {"Retry-After": "0"}), (429, {}), (200, {})]
    async with Sender(server.url, "key") as sender:
        await sender.send(EVENTS)
    assert server.bodies == [EVENTS] * 3
    assert (sender.sent, sender.waits) == (2, 2)
    assert server.keys[0].startswith("Basic ")


async def test_a_server_that_stays_busy_is_said_with_where_to_look(server):
    server.answers = [(503, {})]
    async with Sender(server.url, "key") as sender:
        with pytest.raises(UserError, match="takes no events"):
            await sender.send(EVENTS, patience=0.1)
    assert sender.sent == 0


async def test_a_server_that_is_not_there_is_waited_for(server):
    server.shutdown()
    server.server_close()
    async with Sender(server.url, "key") as sender:
        with pytest.raises(UserError, match="ConnectError"):
            await sender.send(EVENTS, patience=0.1)
    assert sender.waits >= 1


async def test_a_wrong_key_is_not_tried_again(server):
    server.answers = [(401, {})]
    async with Sender(server.url, "key") as sender:
        with pytest.raises(UserError, match="does not know the write key"):
            await sender.send(EVENTS)
    assert len(server.bodies) == 1


@pytest.mark.parametrize("status", [400, 422])
async def test_a_batch_of_bad_events_is_left_at_that(server, status):
    server.answers = [(status, {})]
    async with Sender(server.url, "key") as sender:
        await sender.send(EVENTS)
    assert len(server.bodies) == 1
