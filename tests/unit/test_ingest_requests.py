"""What a request is told before any of its events is looked at; and the document that says so."""

import base64

import httpx
import pytest

from streams.ingest.app import create_app
from streams.ingest.auth import Keys
from streams.ingest.openapi import document
from streams.ingest.problems import ProblemError
from streams.ingest.routes import CALLS
from streams.ingest.splitting import Sent, native

KEY = "Bearer test-write-key"


class Request:
    def __init__(self, authorization):
        self.headers = {"authorization": authorization} if authorization is not None else {}


def basic(text):
    return "Basic " + base64.b64encode(text).decode()


@pytest.fixture
async def http(make_settings):
    transport = httpx.ASGITransport(create_app(make_settings()))
    async with httpx.AsyncClient(transport=transport, base_url="http://ingest") as client:
        yield client


@pytest.mark.parametrize(
    "given",
    [
        basic(b"k1:"),
        basic(b"k1:any password"),
        basic(b"k1"),
        "Bearer k1",
        "bearer k1",
        "basic azE6",
    ],
)
def test_a_key_is_basic_user_name_or_bearer_token(given):
    assert Keys("web=k1,app=k2").sender(Request(given)) == "web"


@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer  ", "Basic", "Basic !!", basic(b"\xff:"), basic(b":k1"),
              basic(b"k3:"), "Digest k1", "k1"],
)  # fmt: skip
def test_anything_else_is_nobodys(given):
    with pytest.raises(ProblemError) as refused:
        Keys("web=k1,app=k2").sender(Request(given))
    assert refused.value.status == 401
    assert "WWW-Authenticate" in refused.value.headers


@pytest.mark.parametrize(
    ("method", "path", "kind", "status"),
    [
        ("POST", "/v1/shout", "application/json", 404),
        ("POST", "/v2/track", "application/json", 404),
        ("GET", "/v1/events", "", 405),
        ("POST", "/v1/track", "text/xml", 415),
        ("POST", "/v1/cloudevents", "application/json", 415),
        ("POST", "/v1/events", "application/json", 503),  # no Kafka here: nothing is acknowledged
    ],
)
async def test_what_cannot_be_taken_is_a_problem(http, method, path, kind, status):
    event = b'{"type":"page_viewed","identifiers":{"user_id":"ana"},"path":"/"}'
    headers = {"Authorization": KEY, "Content-Type": kind}
    answer = await http.request(method, path, content=event, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


async def test_the_document_is_served_and_describes_every_path_that_answers(http):
    served = (await http.get("/openapi.json")).json()
    assert served == document()
    for path, operations in served["paths"].items():
        for method in operations:
            for one in CALLS if "{call}" in path else [""]:
                answer = await http.request(method, path.replace("{call}", one))
                assert answer.status_code not in (404, 405), (method, path)


NATIVE = {
    "one event": (b' {"type":"custom"}', ([b' {"type":"custom"}'], True, None)),
    "an array": (b' [{"type":"custom"}, 7]', ([b'{"type":"custom"}', b"7"], False, None)),
    "a batch": (b'{"events":[{}],"sent_at":"2026"}', ([b"{}"], False, "2026")),
    "a batch of an unknown time": (b'{"events":[{}, {}]}', ([b"{}", b"{}"], False, None)),
    "an event that speaks of events": (
        b'{"type":"custom","events":[{}]}',
        ([b'{"type":"custom","events":[{}]}'], True, None),
    ),
    "within": (b'{"properties":{"events":[]}}', ([b'{"properties":{"events":[]}}'], True, None)),
    "half of one": (b'{"events":[{}],', ([b'{"events":[{}],'], True, None)),
}


@pytest.mark.parametrize("case", NATIVE)
def test_our_own_events_come_alone_in_an_array_or_with_the_time_that_they_left(case):
    body, (events, single, sent_at) = NATIVE[case]
    assert native(body) == Sent("native", events, single, sent_at)


@pytest.mark.parametrize(
    "body",
    [b'{"events":{}}', b'{"events":[],"sent_at":5}', b'{"events":[],"sentAt":"2026"}'],
)
def test_a_batch_that_is_none_is_refused_whole(body):
    with pytest.raises(ProblemError) as refused:
        native(body)
    assert refused.value.status == 400
