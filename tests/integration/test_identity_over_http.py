"""Merges and unmerges asked for over HTTP: on the log in order, each once, told by whom."""

import httpx
import pytest

from models.links import Link, Unmerge, decode_link
from models.naming import derive
from models.topics import IDENTITY_LINKS
from tests.support.kafka_log import read_all
from tests.support.waiting import until

pytestmark = pytest.mark.stack

ASKED = {"by": "kim", "reason": "a shared tablet"}


@pytest.fixture
def http(kafka_settings, start_part):
    start_part(kafka_settings, "streams.ingest")
    address = f"http://127.0.0.1:{kafka_settings.ingest_port}"
    with httpx.Client(base_url=address, auth=("test-admin-key", ""), timeout=30) as client:

        def commanded():
            try:
                return client.post("/v1/identity/unmerge", json={}).status_code == 422
            except httpx.TransportError:
                return False

        until(commanded, 120, "ingest answers")
        yield client


def on_log(settings):
    return read_all(settings.brokers, settings.topic(IDENTITY_LINKS))


def accepted(http, kind, body, **headers):
    """Ask until Kafka is there; return the answer."""

    def answer():
        given = http.post(f"/v1/identity/{kind}", json=body, headers=headers)
        return given if given.status_code != 503 else None

    given = until(answer, 120, "Kafka is there")
    assert given.status_code == 202, given.text
    return given.json()


def test_commands_are_on_the_log_when_they_are_accepted(kafka_settings, http):
    merge = {"left": "email:Ana@example.com", "right": "user_id:ana"} | ASKED
    first = accepted(http, "merge", merge)
    second = accepted(http, "unmerge", {"identifier": "email:ana@example.com"} | ASKED)
    linked, parted = on_log(kafka_settings)
    link, command = decode_link(linked.value), decode_link(parted.value)
    ana, email = derive("user_id:ana"), derive("email:ana@example.com")
    assert isinstance(link, Link)
    assert (link.link_id, link.left, link.right) == (first["id"], email, ana)
    assert isinstance(command, Unmerge)
    assert (command.unmerge_id, command.customer) == (second["id"], email)
    assert (command.by, command.reason) == ("kim", "a shared tablet")
    assert [first["receipt"], second["receipt"]] == ["identity-links/0:0", "identity-links/0:1"]
    assert (first["customers"], second["customers"]) == ([email, ana], [email])
    assert dict(parted.headers) == {"source": b"test"}
    assert second["outcome"] == (
        f"/v1/identity/outcome?receipt=identity-links/0:1&customer={email}"
    )


def test_a_repeated_request_is_one_command(kafka_settings, http):
    body = {"identifier": "user_id:ana"} | ASKED
    first = accepted(http, "unmerge", body, **{"Idempotency-Key": "ticket-7"})
    assert accepted(http, "unmerge", body, **{"Idempotency-Key": "ticket-7"}) == first
    other = http.post(
        "/v1/identity/unmerge",
        json=body | {"reason": "another"},
        headers={"Idempotency-Key": "ticket-7"},
    )
    assert other.status_code == 422
    assert other.json()["where"] == "Idempotency-Key"
    assert len(on_log(kafka_settings)) == 1


def test_what_is_not_accepted_leaves_nothing_behind(kafka_settings, http):
    body = {"identifier": "user_id:ana"} | ASKED
    for key in ("test-write-key", "test-api-key"):
        assert http.post("/v1/identity/unmerge", json=body, auth=(key, "")).status_code == 403
    assert http.post("/v1/identity/unmerge", json=ASKED).status_code == 422
    assert on_log(kafka_settings) == []
