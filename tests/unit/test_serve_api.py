"""The profile API over a live read model that was fed real records."""

import asyncio
import json
import re
from types import SimpleNamespace

import httpx
import pytest
from msgspec.structs import replace

from infra.settings import SettingsError
from models.customer import Regroup
from models.dead_letter import headers_of
from models.errors import Reason, TouchpointRejectedError
from models.naming import derive
from models.profile import Profile
from projections.live import Record
from projections.live_lag import StepLag
from projections.serve import board_schemas, identity_schemas, schemas
from projections.serve.app import build
from projections.serve.keys import ApiKeys
from projections.serve.sources import Sources
from tests.support.customers import ANA, OFFERS, customer, record, rich

KEY = {"Authorization": "Bearer test-api-key"}


@pytest.fixture
def serve(make_settings, tmp_path):
    offers = tmp_path / "offers.toml"
    offers.write_text(OFFERS)
    settings = make_settings(offers_file=offers)
    return build(settings, Sources(settings), follow=False)


@pytest.fixture
def live(serve):
    live = serve.state.sources.live
    live.apply([record(rich())])
    live.mark_ready()
    return live


@pytest.fixture
async def http(serve, live):
    transport = httpx.ASGITransport(serve, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://c360", headers=KEY) as http:
        yield http


async def test_a_customer_is_answered_whole(http):
    answer = await http.get(f"/v1/profiles/{ANA}")
    body = answer.json()
    schemas.CustomerWhole.model_validate_json(answer.content)
    assert body["customer_id"] == derive(ANA)
    assert body["identifiers"][0] == {
        "type": "email",
        "value": "ana@example.com",
        "first_seen_at": "2026-06-23T14:13:20.000Z",
    }
    assert body["traits"]["city"] == {
        "value": "Austin",
        "updated_at": "2026-09-12T14:13:20.000Z",
        "source": "call-centre",
        "event_id": "e7",
    }
    assert body["computed"]["revenue"] == {"USD": "159.05", "KRW": "59000"}
    assert body["scores"]["churn"]["probability"] == 0.82
    assert body["scores"]["churn"]["reasons"][0] == {
        "feature": "silence",
        "contribution": 1.2,
        "effect": "raised",
        "value": 11.5,
        "usual": 3.2,
        "about": "silence",
        "text": {
            "en": "silent for 11.5 days, usually 3.2 days",
            "ko": "조용한 지 11.5일, 보통 3.2일",
        },
    }
    assert [one["feature"] for one in body["scores"]["churn"]["rest"]] == ["other", "base"]
    assert body["offer"]["offer"] == "double-points"
    assert [one["ticket_id"] for one in body["open_tickets"]] == ["t1"]
    assert [one["status"] for one in body["episodes"]] == ["open"]
    assert body["timeline"][0]["summary"] == "3 x, 59.05 USD"


@pytest.mark.parametrize(
    ("part", "model"),
    [
        ("timeline", schemas.CustomerTimeline),
        ("scores", schemas.CustomerScores),
        ("traits", schemas.CustomerTraits),
        ("offer", schemas.CustomerOffer),
        ("identity", identity_schemas.CustomerIdentity),
    ],
)
async def test_each_part_is_answered_alone_and_as_described(http, live, part, model):
    live.apply([record(customer("user_id:new"))])
    for key in (ANA, "user_id:new"):
        answer = await http.get(f"/v1/profiles/{key}/{part}")
        assert answer.status_code == 200
        model.model_validate_json(answer.content)


async def test_a_customer_of_whom_nothing_is_known_is_answered_too(http, live):
    live.apply([record(customer("user_id:new"))])
    answer = await http.get("/v1/profiles/user_id:new")
    schemas.CustomerWhole.model_validate_json(answer.content)
    assert answer.json()["offer"] is None


@pytest.mark.parametrize(
    "path",
    [
        f"/v1/profiles/{ANA}",
        f"/v1/profiles/{ANA}/offer",
        "/v1/search?q=a",
        "/v1/stats",
        "/v1/changes",
        f"/v1/profiles/{ANA}/identity",
        f"/v1/identity/outcome?receipt=identity-links/0:1&customer={derive(ANA)}",
    ],
)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer test-api-kez"},
        {"Authorization": "Basic dGVzdC1hcGkta2V5Og=="},
        {"X-API-Key": ""},
        {"X-API-Key": "test=test-api-key"},
    ],
)
async def test_without_a_right_key_nothing_is_answered(serve, live, path, headers):
    transport = httpx.ASGITransport(serve)
    async with httpx.AsyncClient(transport=transport, base_url="http://c360") as http:
        answer = await http.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert "ana" not in answer.text.lower()


async def test_the_key_may_come_in_its_own_header(serve, live):
    transport = httpx.ASGITransport(serve)
    async with httpx.AsyncClient(transport=transport, base_url="http://c360") as http:
        answer = await http.get("/v1/stats", headers={"X-API-Key": "test-api-key"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "text", ["", "name-without-a-key", "=nameless-key-123", "short=abc", "a=first-key,a=second-key"]
)
def test_a_server_without_usable_keys_does_not_start(text):
    with pytest.raises(SettingsError, match="C360_API_KEYS"):
        ApiKeys(text)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/profiles/email:nobody@example.com", 404),
        ("/v1/profiles/shoe:12", 404),
        ("/v1/nothing", 404),
        (f"/v1/profiles/{ANA}?timeout=99", 422),
        (f"/v1/profiles/{ANA}?wait_for=soon", 422),
        ("/v1/search", 422),
        ("/v1/profiles/email:nobody@example.com/identity", 404),
        ("/v1/identity/outcome", 422),
        (f"/v1/identity/outcome?receipt=identity-links/0:1&customer={ANA}", 422),
        (f"/v1/identity/outcome?receipt=touchpoints/0:1&customer={derive(ANA)}", 422),
        (f"/v1/identity/outcome?receipt=soon&customer={derive(ANA)}", 422),
        ("/v1/search?q=a&limit=0", 422),
        ("/v1/changes?customer=ana", 422),
        ("/v1/profiles:batchGet", 405),
    ],
)
async def test_every_error_is_a_problem(http, path, status):
    answer = await http.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["type"].startswith("urn:c360:")
    assert body["detail"]


async def test_an_unforeseen_error_is_a_problem_that_tells_no_secret(serve, http, monkeypatch):
    def fail(*_):
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(serve.state.sources.live, "locate", fail)
    answer = await http.get(f"/v1/profiles/{ANA}")
    assert answer.status_code == 500
    assert answer.json()["type"] == "urn:c360:internal-error"
    assert "hunter2" not in answer.text


async def test_an_unchanged_customer_is_not_sent_again(http, live):
    tag = (await http.get(f"/v1/profiles/{ANA}")).headers["etag"]
    again = await http.get(f"/v1/profiles/{ANA}", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    live.apply([record(rich(version=13))])
    after = await http.get(f"/v1/profiles/{ANA}", headers={"If-None-Match": tag})
    assert after.json()["version"] == 13


async def test_a_merge_changes_the_tag_even_at_the_same_version(http, live):
    tag = (await http.get(f"/v1/profiles/{ANA}")).headers["etag"]
    winner = rich("user_id:u-1", absorbed=[derive(ANA)])
    live.apply([record(winner), record(customer(ANA, merged_into=winner.customer_id))])
    answer = await http.get(f"/v1/profiles/{ANA}", headers={"If-None-Match": tag})
    assert answer.json()["customer_id"] == winner.customer_id


async def test_waiting_for_a_receipt_answers_with_the_event_in_it(http, live):
    asking = asyncio.create_task(http.get(f"/v1/profiles/{ANA}?wait_for=touchpoints/3:121"))
    while not live._turn._waiters:
        await asyncio.sleep(0.01)
    live.apply([record(rich(version=13, applied={"touchpoints/3": 121}))])
    assert (await asking).json()["version"] == 13


async def test_waiting_for_what_does_not_come_ends_with_504(http):
    answer = await http.get(f"/v1/profiles/{ANA}?wait_for=touchpoints/3:999&timeout=0.05")
    assert answer.status_code == 504
    assert answer.json()["type"] == "urn:c360:not-yet"


async def test_many_customers_are_answered_at_once(http):
    keys = [ANA, "email:nobody@example.com", derive(ANA)]
    answer = await http.post("/v1/profiles:batchGet", json={"keys": keys})
    schemas.BatchAnswer.model_validate_json(answer.content)
    assert set(answer.json()["profiles"]) == {ANA, derive(ANA)}
    assert answer.json()["missing"] == ["email:nobody@example.com"]


async def test_a_batch_leaves_others_their_turn(http, live, monkeypatch):
    turn, laid_out, locate = [0], [], live.locate
    monkeypatch.setattr(live, "locate", lambda key: laid_out.append(turn[0]) or locate(key))

    async def others():
        while True:
            turn[0] += 1
            await asyncio.sleep(0)

    reading = asyncio.create_task(others())
    keys = [f"user_id:u{n}" for n in range(100)]
    answer = await http.post("/v1/profiles:batchGet", json={"keys": keys})
    reading.cancel()
    assert answer.json()["missing"] == keys
    assert max(map(laid_out.count, laid_out)) <= 16


@pytest.mark.parametrize("body", [{}, {"keys": []}, {"keys": ["a"] * 501}, {"keys": ["a"], "x": 1}])
async def test_a_batch_that_asks_wrongly_is_refused(http, body):
    answer = await http.post("/v1/profiles:batchGet", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_search_answers_lines(http):
    answer = await http.get("/v1/search", params={"q": "lopez"})
    board_schemas.SearchAnswer.model_validate_json(answer.content)
    (hit,) = answer.json()["items"]
    assert (hit["name"], hit["band"], hit["open_alerts"]) == ("Ana Lopez", "high", 1)


async def test_the_figures_are_as_described(serve, http, live):
    serve.state.sources.lag.steps = [StepLag("fold", 12), StepLag("project", None)]
    live.apply([record(rich(version=13, offset=8, received_ms=live.now_ms() - 40))])
    answer = await http.get("/v1/stats")
    stats = board_schemas.Stats.model_validate_json(answer.content)
    assert (stats.customers, stats.scored, stats.open_alerts) == (1, 1, 1)
    assert stats.risk_bands == {"low": 0, "medium": 0, "high": 1}
    assert stats.freshness is not None
    assert [(one.step, one.lag) for one in stats.lag] == [
        ("fold", 12),
        ("project", None),
        ("live", 0),
    ]


async def test_health_readiness_and_metrics_are_open_and_name_no_customer(serve):
    transport = httpx.ASGITransport(serve)
    async with httpx.AsyncClient(transport=transport, base_url="http://c360") as http:
        assert (await http.get("/healthz")).status_code == 200
        assert (await http.get("/readyz")).status_code == 503
        live = serve.state.sources.live
        live.apply([record(rich())])
        live.mark_ready()
        assert (await http.get("/readyz")).status_code == 200
        metrics = (await http.get("/metrics")).text
    assert "c360_live_customers 1" in metrics
    assert 'c360_customers_by_risk{band="high"} 1' in metrics
    assert "ana" not in metrics.lower()
    for line in metrics.splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) \w+ .+|\w+(\{\w+=\"[^\"]+\"\})? -?[\d.e+]+", line), line


async def events(serve, path, headers=None, until=1):
    """Read a stream through ASGI until so many events came; return (event, id, data)."""
    got: list[bytes] = []
    enough = asyncio.Event()
    scope = {
        "type": "http",
        "method": "GET",
        "path": path.partition("?")[0],
        "query_string": path.partition("?")[2].encode(),
        "headers": [(k.lower().encode(), v.encode()) for k, v in (KEY | (headers or {})).items()],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("c360", 80),
        "client": ("127.0.0.1", 1),
        "root_path": "",
    }

    async def receive():
        await enough.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        got.append(message.get("body", b""))
        if b"".join(got).count(b"event: ") >= until:
            enough.set()

    await asyncio.wait_for(serve(scope, receive, send), 60)
    found = []
    for block in b"".join(got).decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line[1:])
        if "event" in fields:
            found.append((fields["event"], fields.get("id"), json.loads(fields["data"])))
    return found


async def listening(live, many=1):
    while len(live.changes) < many:
        await asyncio.sleep(0.01)


async def test_changes_are_streamed_as_they_become_visible(serve, live):
    reading = asyncio.create_task(events(serve, "/v1/changes", until=2))
    await listening(live)
    live.apply([record(customer("user_id:u-1", version=13))])
    live.apply([Record(derive(ANA).encode(), None, 0)])
    first, second = await reading
    assert first[0] == "change"
    assert (first[2]["customer_id"], first[2]["version"]) == (derive("user_id:u-1"), 13)
    assert (second[0], second[2]) == ("erased", {"customer_id": derive(ANA)})


async def test_a_stream_of_one_customer_hears_of_no_other_and_may_bring_the_profile(serve, live):
    path = f"/v1/changes?customer={ANA}&include=profile"
    reading = asyncio.create_task(events(serve, path))
    await listening(live)
    live.apply([record(customer("user_id:other")), record(rich(version=14))])
    ((_, _, data),) = await reading
    schemas.CustomerWhole.model_validate(data["profile"])
    assert data["version"] == 14


async def test_a_stream_follows_a_customer_into_a_merge(serve, live):
    reading = asyncio.create_task(events(serve, f"/v1/changes?customer={ANA}", until=2))
    await listening(live)
    winner = rich("user_id:u-1", absorbed=[derive(ANA)])
    live.apply([record(customer(ANA, offset=9, merged_into=winner.customer_id)), record(winner)])
    merged, followed = await reading
    assert merged[2]["merged_into"] == winner.customer_id
    assert (followed[2]["customer_id"], followed[2]["version"]) == (winner.customer_id, 12)


async def test_who_comes_back_with_the_last_id_hears_what_was_missed(serve, live):
    live.apply([record(rich(version=13))])
    live.apply([record(rich(version=14))])
    back = await events(serve, "/v1/changes", {"Last-Event-ID": f"{live.changes.epoch}-1"})
    assert [data["version"] for _, _, data in back] == [14]


async def test_who_missed_too_much_is_told_to_read_anew(serve, live):
    reading = asyncio.create_task(
        events(serve, "/v1/changes", {"Last-Event-ID": "another-process-5"}, until=2)
    )
    await listening(live)
    live.apply([record(rich(version=13))])
    assert [kind for kind, _, _ in await reading] == ["reset", "change"]


async def test_writing_to_a_customer_is_refused_as_ever(http):
    answer = await http.post(f"/v1/profiles/{ANA}")
    assert answer.status_code == 405


async def test_a_change_is_answered_at_once_although_the_old_answer_was_kept(http, live):
    for version in (13, 14):
        live.apply([record(rich(version=version))])
        for part, key in (("", "version"), ("/offer", "version")):
            answer = await http.get(f"/v1/profiles/{ANA}{part}")
            assert answer.json()[key] == version


USER, BROWSER = "user_id:ana", "anonymous_id:b-1"


def merged(**over):
    """Return the user with the browser in it, and the browser as the pointer it is."""
    names = {USER: 1_000, BROWSER: 500, "phone:+8215550100": 700}
    user = customer(
        USER, absorbed=[derive(BROWSER), "c_" + "0" * 20], profile=Profile(identifiers=names)
    )
    pointer = customer(BROWSER, merged_into=user.customer_id, profile=Profile())
    return replace(user, **over), pointer


async def test_who_a_customer_is_tells_its_members_and_whom_each_identifier_names(http, live):
    live.apply([record(one) for one in merged(generation=7)])
    body = (await http.get(f"/v1/profiles/{BROWSER}/identity")).json()
    assert (body["customer_id"], body["generation"]) == (derive(USER), 7)
    assert [(one["customer_id"], one["identifier"]) for one in body["members"]] == [
        (derive(USER), told("user_id", "ana", "1970-01-01T00:00:01.000Z")),
        (derive(BROWSER), told("anonymous_id", "b-1", "1970-01-01T00:00:00.500Z")),
        ("c_" + "0" * 20, None),
    ]
    assert [(one["type"], one["customer_id"]) for one in body["identifiers"]] == [
        ("anonymous_id", derive(BROWSER)),
        ("phone", None),
        ("user_id", derive(USER)),
    ]


def told(kind, value, at):
    return {"type": kind, "value": value, "first_seen_at": at}


async def test_a_customer_who_is_put_together_anew_says_that_it_is_not_complete(http, live):
    assert (await http.get(f"/v1/profiles/{ANA}")).json()["complete"] is True
    live.apply([record(rich(version=13, generation=4, regroup=Regroup(9, 1)))])
    for part in ("", "/offer", "/identity"):
        assert (await http.get(f"/v1/profiles/{ANA}{part}")).json()["complete"] is False
    assert (await http.get("/v1/stats")).json()["incomplete"] == 1


async def outcome(http, offset, *customers):
    asked = [("receipt", f"identity-links/0:{offset}"), *(("customer", one) for one in customers)]
    answer = await http.get("/v1/identity/outcome", params=asked)
    identity_schemas.Outcome.model_validate_json(answer.content)
    return answer.json()


async def test_an_unmerge_is_done_when_its_member_is_whole_again(http, live):
    user, pointer = merged()
    live.apply([record(user), record(pointer)])
    assert (await outcome(http, 30, derive(BROWSER)))["status"] == "waiting"
    parted = replace(pointer, merged_into=None, generation=30, regroup=Regroup(5, 0), offset=8)
    live.apply([record(parted)])
    assert (await outcome(http, 30, derive(BROWSER)))["status"] == "refolding"
    assert (await outcome(http, 31, derive(BROWSER)))["status"] == "waiting"
    live.apply([record(replace(parted, regroup=None, offset=9))])
    assert await outcome(http, 30, derive(BROWSER)) == {
        "receipt": "identity-links/0:30",
        "status": "done",
        "detail": None,
        "customers": [{"asked": derive(BROWSER), "customer_id": derive(BROWSER)}],
    }


async def test_a_merge_is_done_when_both_names_lead_to_one_customer(http, live):
    user, pointer = merged()
    named = (pointer.customer_id, user.customer_id)
    assert (await outcome(http, 1, *named))["status"] == "waiting"
    live.apply([record(user), record(customer(BROWSER))])
    assert (await outcome(http, 1, *named))["status"] == "waiting"
    live.apply([record(replace(pointer, offset=8))])
    told = await outcome(http, 1, *named)
    assert told["status"] == "done"
    assert {one["customer_id"] for one in told["customers"]} == {user.customer_id}


async def test_a_command_that_was_refused_says_why(serve, http, live):
    rejected = TouchpointRejectedError(Reason.REFUSED, "stands for its whole group", "customer")
    letter = SimpleNamespace(
        offset=1,
        timestamp=5,
        value=b"{}",
        headers=headers_of(rejected, "identity-links/0/30", []),
    )
    serve.state.sources.dead_letters.apply([letter])
    told = await outcome(http, 30, derive(ANA))
    assert (told["status"], told["detail"]) == ("refused", "stands for its whole group")
    assert (await outcome(http, 3, derive(ANA)))["status"] == "waiting"
