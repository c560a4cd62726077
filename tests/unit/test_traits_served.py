"""Computed traits as the API tells them: as of now, by what learners know, with their source."""

from types import SimpleNamespace

import httpx
import msgspec
import pytest

from models.online.affinity import AFFINITY, AffinityModel
from models.online.snapshots import Snapshot, encode
from models.population import Cuts, Population, Spend
from models.population import encode as encode_population
from models.profile import Profile, Trait
from projections.live_learnt import HOUR_MS, Learnt
from projections.serve import schemas
from projections.serve.app import build
from projections.serve.sources import Sources
from tests.support.customers import ANA, DAY_MS, NOW_MS, customer, record

KEY = {"Authorization": "Bearer test-api-key"}
FROM_HERE = {"Origin": "http://c360", "Sec-Fetch-Site": "same-origin"}
TODAY = NOW_MS // DAY_MS
PROFILE = Profile(
    identifiers={ANA: NOW_MS},
    events=9,
    events_by_channel={"web": 3, "app": 6},
    orders=3,
    revenue={"USD": 15_000},
    refunded={"USD": 3_000},
    orders_by_currency={"USD": 3},
    order_days=[TODAY - 60, TODAY - 30, TODAY - 2],
    products={"tea": NOW_MS},
    interest_weeks={NOW_MS // (7 * DAY_MS): {"video": 6, "shoes": 2}},
    sentiment=Trait(-0.7, NOW_MS, "e7", "desk"),
    sentiment_weeks={NOW_MS // (7 * DAY_MS): {"count": 2, "sum": -400}},
)


@pytest.fixture
def clock():
    return SimpleNamespace(ms=NOW_MS)


@pytest.fixture
def served(make_settings, clock):
    settings = make_settings(snapshot_secret="s3cret")
    sources = Sources(settings)
    sources.live.now_ms = lambda: clock.ms
    sources.learnt = Learnt(b"s3cret", lambda: clock.ms)
    sources.live.apply([record(customer(profile=PROFILE))])
    sources.live.mark_ready()
    return sources, build(settings, sources, follow=False)


@pytest.fixture
async def http(served):
    transport = httpx.ASGITransport(served[1], raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://c360", headers=KEY) as http:
        yield http


def snapshot(model, served, secret=b"s3cret"):
    value = encode(Snapshot(model=model, version=1, offset=1, served=msgspec.Raw(served)), secret)
    return SimpleNamespace(key=model.encode(), value=value)


def shop():
    return Population(
        spend={"USD": Spend(p=6.25, q=3.74, v=15_440.0)},
        cuts=Cuts(recency=[1, 30, 90, 200], frequency=[2, 3, 5, 9], money={"USD": [1, 2, 3, 4e5]}),
        fitted_ms=NOW_MS,
        customers=777,
    )


def tea_with_cups():
    model = AffinityModel()
    for _ in range(9):
        model.learn_one({"tea": 1.0, "cup": 1.0})
    for _ in range(30):
        model.learn_one({"ink": 1.0, "pen": 1.0})
    return msgspec.json.encode(model.to_state())


async def test_a_profile_tells_value_interests_sentiment_and_its_sources(http):
    answer = await http.get(f"/v1/profiles/{ANA}")
    body = answer.json()
    schemas.CustomerWhole.model_validate_json(answer.content)
    assert body["preferred_channel"] == "app"
    assert body["interests_now"][0]["category"] == "video"
    assert body["interests_now"][0]["share"] == 0.75
    assert (body["sentiment"]["newest"], body["sentiment"]["mean"]) == (-0.7, -0.2)
    assert (body["sentiment"]["told_by"], body["sentiment"]["event_id"]) == ("desk", "e7")
    value = body["value"]
    assert value["rfm"]["recency_days"] == 2
    assert value["rfm"]["money"] == {"USD": "120.00"}
    assert (value["fitted_at"], value["rfm"]["segment"], body["goes_with"]) == (None, None, [])
    assert value["next_purchase"]["expected_at"] > value["as_of"]
    assert 0 < value["purchase"]["probability"] < value["alive"] <= 1
    assert set(value["clv"]["amounts"]) == {"USD"}


async def test_who_bought_and_said_nothing_has_neither_value_nor_sentiment(http, served):
    served[0].live.apply([record(customer("email:bo@example.com"))])
    body = (await http.get("/v1/profiles/email:bo@example.com")).json()
    assert (body["value"], body["sentiment"], body["interests_now"]) == (None, None, [])


async def test_silence_alone_changes_the_answer_and_its_tag(http, clock):
    first = await http.get(f"/v1/profiles/{ANA}")
    tag = {"If-None-Match": first.headers["etag"]}
    clock.ms += 1
    assert (await http.get(f"/v1/profiles/{ANA}", headers=tag)).status_code == 304
    clock.ms += 200 * DAY_MS
    later = await http.get(f"/v1/profiles/{ANA}", headers=tag)
    assert later.status_code == 200
    assert later.json()["value"]["alive"] < first.json()["value"]["alive"]
    assert later.json()["value"]["next_purchase"]["overdue"] is True
    assert later.json()["version"] == first.json()["version"]


async def test_what_learners_know_is_told_once_they_publish_it(http, served, clock):
    await http.get(f"/v1/profiles/{ANA}")
    population, affinity = encode_population(shop()), tea_with_cups()
    served[0].learnt.apply([snapshot("population", population), snapshot(AFFINITY, affinity)])
    body = (await http.get(f"/v1/profiles/{ANA}")).json()
    assert body["value"]["fitted_to"] == 777
    assert (body["value"]["rfm"]["segment"], body["value"]["rfm"]["recency_score"]) == (
        "growing",
        4,
    )
    [companion] = body["goes_with"]
    assert (companion["product_id"], companion["bought_with"]) == ("cup", "tea")
    assert companion["lift"] > 1
    batch = await http.post("/v1/profiles:batchGet", json={"keys": [ANA]})
    assert batch.json()["profiles"][ANA]["goes_with"] == body["goes_with"]


@pytest.mark.parametrize(
    "bad",
    [
        snapshot("population", encode_population(shop()), b"another"),
        snapshot("population", b'{"customers":"many"}'),
        SimpleNamespace(key=b"population", value=b"nonsense"),
    ],
)
def test_a_snapshot_that_is_not_ours_is_passed_over(bad):
    learnt = Learnt(b"s3cret", lambda: NOW_MS)
    learnt.apply([bad])
    assert learnt.now().population == Population()
    assert learnt.refused == 1


def test_without_a_secret_nothing_is_read():
    learnt = Learnt(b"", lambda: NOW_MS)
    learnt.apply([snapshot("population", encode_population(shop()))])
    assert (learnt.now().population, learnt.refused) == (Population(), 0)


def test_what_is_told_as_of_now_is_told_as_of_the_full_hour():
    learnt = Learnt(b"s", lambda: NOW_MS + HOUR_MS // 2)
    assert learnt.now().at_ms == (NOW_MS + HOUR_MS // 2) // HOUR_MS * HOUR_MS


async def test_the_customers_page_tells_them_in_both_languages(http, served, clock):
    population, affinity = encode_population(shop()), tea_with_cups()
    served[0].learnt.apply([snapshot("population", population), snapshot(AFFINITY, affinity)])
    await http.post("/login", data={"key": "test-api-key"}, headers=FROM_HERE)
    address = f"/customers/{customer().customer_id}"
    english = (await http.get(address, headers={"accept-language": "en"})).text
    korean = (await http.get(address, headers={"accept-language": "ko"})).text
    for told in ("Expected within a year", "growing", "Speaks of us", "video", "bought with tea"):
        assert told in english
    for told in ("1년 내 예상 매출", "성장", "최근 의견", "video", "tea와(과) 함께 구매"):
        assert told in korean
    assert "overdue" not in english
    clock.ms += 60 * DAY_MS
    assert "overdue" in (await http.get(address, headers={"accept-language": "en"})).text
