"""Who may say which customers are one, and what is told to a request that says it wrongly."""

import asyncio

import httpx
import pytest

from infra.settings import Settings
from models.identity_rules import Rules
from models.links import state_unmerge
from models.naming import derive
from streams.ingest.app import create_app
from streams.ingest.asking import merge, unmerge
from streams.ingest.auth import KeysError
from streams.ingest.commands import Asked, Once
from streams.ingest.problems import ProblemError

BY = b'"by":"kim","reason":"a shared tablet"'
UNMERGE = b'{"identifier":"email:ana@example.com",%s}' % BY
MERGE = b'{"left":"email:ana@example.com","right":"user_id:ana",%s}' % BY
PATHS = {"/v1/identity/unmerge": UNMERGE, "/v1/identity/merge": MERGE}
ANA = "c_" + "0" * 20


async def post(settings: Settings, path: str, key: str, body: bytes, **headers: str):
    transport = httpx.ASGITransport(create_app(settings))
    given = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"} | headers
    async with httpx.AsyncClient(transport=transport, base_url="http://ingest") as http:
        return await http.post(path, content=body, headers=given)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("key", "status"),
    [
        ("test-admin-key", 503),  # no Kafka here, but the key is right
        ("test-write-key", 403),
        ("test-api-key", 403),
        ("test=test-admin-key", 401),
        ("", 401),
    ],
)
async def test_only_an_admin_key_commands(make_settings, path, key, status):
    answer = await post(make_settings(), path, key, PATHS[path])
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("key", "status"), [("", 401), ("=", 401), ("test-write-key", 403)])
async def test_without_admin_keys_nobody_commands(make_settings, path, key, status):
    answer = await post(make_settings(admin_keys=""), path, key, PATHS[path])
    assert answer.status_code == status


async def test_an_admin_key_sends_no_events(make_settings):
    event = b'{"type":"page_viewed","identifiers":{"user_id":"ana"},"path":"/"}'
    answer = await post(make_settings(), "/v1/events", "test-admin-key", event)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"admin_keys": "ops"}, "must hold name=key"),
        ({"admin_keys": "ops=short"}, "8 signs or more"),
        ({"admin_keys": "ops=in-a-web-page", "write_keys": "w=in-a-web-page"}, "opens other doors"),
        ({"admin_keys": "ops=at-every-desk", "api_keys": "r=at-every-desk"}, "opens other doors"),
    ],
)
def test_admin_keys_that_cannot_be_used_are_refused_at_the_start(make_settings, given, told):
    with pytest.raises(KeysError, match=told) as refused:
        create_app(make_settings(**given))
    assert "C360_ADMIN_KEYS" in str(refused.value)
    assert "web-page" not in str(refused.value)


@pytest.mark.parametrize(
    ("read", "body", "status", "where"),
    [
        (merge, b"{", 400, None),
        (merge, b"\xff", 400, None),
        (merge, b"[]", 422, ""),
        (merge, b'{"left":"email:a@b.kr","right":"user_id:ana","by":"kim"}', 422, ""),
        (merge, b'{"left":"shoe:12","right":"user_id:ana",%s}' % BY, 422, "left"),
        (merge, b'{"left":"email:a@b.kr","right":"email:null",%s}' % BY, 422, "right"),
        (merge, b'{"left":"email:a@b.kr","right":"email:A@B.kr",%s}' % BY, 422, "right"),
        (merge, b'{"left":7,"right":"user_id:ana",%s}' % BY, 422, "left"),
        (unmerge, b"{%s}" % BY, 422, "customer"),
        (unmerge, b'{"customer":"%s","identifier":"user_id:a",%s}' % (ANA.encode(), BY), 422,
         "customer"),
        (unmerge, b'{"customer":"c_12",%s}' % BY, 422, "customer"),
        (unmerge, b'{"customer":"%s\\n",%s}' % (ANA.encode(), BY), 422, "customer"),
        (unmerge, b'{"identifier":"user_id:a","by":"","reason":"x"}', 422, "by"),
        (unmerge, b'{"identifier":"user_id:a","by":"kim","reason":""}', 422, "reason"),
        (unmerge, b'{"identifier":"user_id:a","when":"now",%s}' % BY, 422, ""),
    ],
)  # fmt: skip
def test_a_wrong_command_is_told_what_is_wrong(read, body, status, where):
    with pytest.raises(ProblemError) as refused:
        read(body, 1)
    assert refused.value.status == status
    assert refused.value.more.get("where") == where


def test_a_member_is_named_by_its_id_or_by_its_identifier():
    by_name = unmerge(b'{"identifier":"email:ANA@Example.com",%s}' % BY, 5)
    by_id = unmerge(b'{"customer":"%s",%s}' % (by_name.customer.encode(), BY), 5)
    named = state_unmerge(derive("email:ana@example.com"), "kim", "a shared tablet", 5)
    assert by_name == by_id == named


def test_names_are_read_by_the_rules_of_the_deployment():
    rules = Rules(phone_region="KR")
    at_home = unmerge(b'{"identifier":"phone:010-1234-5678",%s}' % BY, 5, rules)
    abroad = unmerge(b'{"identifier":"phone:+82 10 1234 5678",%s}' % BY, 5, rules)
    assert at_home == abroad


def test_a_merge_tells_what_kinds_of_names_it_joins():
    link = merge(MERGE, 5)
    assert (link.kind, link.left_type, link.right_type) == ("stated", "email", "user_id")
    assert (link.by, link.reason) == ("kim", "a shared tablet")


async def test_the_same_idempotency_key_is_done_once_even_at_the_same_time():
    once, done = Once(10), []

    async def do():
        done.append(1)
        await asyncio.sleep(0)
        return Asked("u_1", f"identity-links/0:{len(done)}", [], "")

    first, second = await asyncio.gather(*(once(("ops", "k"), b"x", do) for _ in range(2)))
    assert first is second is await once(("ops", "k"), b"x", do)
    await once(("other", "k"), b"x", do)
    assert len(done) == 2
    with pytest.raises(ProblemError, match="another request"):
        await once(("ops", "k"), b"y", do)


async def test_a_command_that_did_not_get_through_may_be_given_again():
    once, failures = Once(10), [ProblemError(503, "away"), None]

    async def do():
        if failure := failures.pop(0):
            raise failure
        return Asked("u_1", "", [], "")

    with pytest.raises(ProblemError):
        await once(("ops", "k"), b"x", do)
    assert (await once(("ops", "k"), b"x", do)).id == "u_1"


async def test_one_that_failed_when_nobody_waited_any_more_may_be_given_again():
    once, away, outcomes = Once(10), asyncio.Event(), [ProblemError(503, "away"), None]

    async def do():
        await away.wait()
        if outcome := outcomes.pop(0):
            raise outcome
        return Asked("u_1", "", [], "")

    waiting = asyncio.ensure_future(once(("ops", "k"), b"x", do))
    await asyncio.sleep(0)
    waiting.cancel()
    away.set()
    while len(outcomes) == 2 or not waiting.done():
        await asyncio.sleep(0)
    await asyncio.sleep(0)  # its end has been told
    assert (await once(("ops", "k"), b"x", do)).id == "u_1"


async def test_only_the_newest_keys_are_remembered():
    once, done = Once(2), []

    async def do():
        done.append(1)
        return Asked("", "", [], "")

    for key in ("a", "b", "c", "a"):
        await once(("ops", key), b"x", do)
    assert len(done) == 4
