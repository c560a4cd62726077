"""What offers came to, over HTTP and in the console: told, refused, or away."""

import math
from datetime import UTC, datetime

import httpx
import pytest
from clickhouse_connect.driver.exceptions import OperationalError

from models.offpolicy import PolicyValue
from models.offpolicy.evaluation import Estimate
from projections import offer_worth
from projections.offer_worth import Shown
from projections.serve import offer_schemas, offers
from projections.serve.app import build
from projections.serve.console.offers import EDGE, WIDE, drawn
from projections.serve.sources import Sources
from tests.support.customers import OFFERS

KEY = {"Authorization": "Bearer test-api-key"}
FROM_HERE = {"Origin": "http://c360", "Sec-Fetch-Site": "same-origin"}
NOW = datetime(2026, 11, 22, tzinfo=UTC)
ROW = {
    "offer": "double-points",
    "channel": "email",
    "campaign": "",
    "policy": "thompson-4",
    "made": 5_000,
    "ended": 4_000,
    "shown": 3_000,
    "accepted": 500,
    "converted": 450,
    "margin": 2_000.0,
    "cost": 100.0,
    "earned": 1_900.0,
    "earned_each": 0.475,
}
LIFT = {
    "campaign": "",
    "offered_customers": 2_000,
    "control_customers": 150,
    "offered_earned": 1.5,
    "control_earned": 1.0,
    "lift": 0.5,
    "margin_of_error": 0.2,
    "lift_low": 0.3,
    "lift_high": 0.7,
}
FEW = LIFT | {"campaign": "spring", "control_customers": 99}


def judged(policy, value=None, gain=0.0, refused=None):
    estimates = {} if value is None else {"dr": Estimate(value, value - 0.05, value + 0.05)}
    return PolicyValue(
        policy=policy,
        effective=2_345.0,
        supported=1.0,
        clip=70.0,
        largest=12.0,
        estimates=estimates,
        gain=None if value is None else Estimate(gain, gain - 0.05, gain + 0.05),
        refused=refused,
    )


WHOLE = Shown(
    results=[ROW],
    lift=[LIFT, FEW],
    judged=4_000,
    customers=2_000,
    first=NOW,
    last=NOW,
    logged=Estimate(0.475, 0.45, 0.5),
    policies=[
        judged("uniform", 0.3, -0.175),
        judged("greedy", 0.6, 0.125),
        judged("fixed:none", refused="an effective sample of 12 is too small"),
    ],
)
EMPTY = Shown(
    results=[], lift=[], judged=0, customers=0, first=None, last=None, logged=None, policies=[]
)


@pytest.fixture
def serve(make_settings, tmp_path, monkeypatch):
    """The API and console over a ClickHouse that tells `serve.tells`, or fails with it."""
    file = tmp_path / "offers.toml"
    file.write_text(OFFERS)
    settings = make_settings(offers_file=file)
    built = build(settings, Sources(settings), follow=False)
    built.tells, built.asked = WHOLE, 0

    def answer(*_):
        built.asked += 1
        if isinstance(built.tells, Exception):
            raise built.tells
        return built.tells

    class Client:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(offers, "shown", answer)
    monkeypatch.setattr(built.state.offers, "_connect", Client)
    return built


@pytest.fixture
async def http(serve):
    transport = httpx.ASGITransport(serve, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://c360") as http:
        yield http


@pytest.fixture
async def agent(http):
    await http.post("/login", data={"key": "test-api-key"}, headers=FROM_HERE)
    return http


async def test_results_lift_and_policies_are_told(http):
    answer = await http.get("/v1/offers/results", headers=KEY)
    assert answer.status_code == 200
    told = offer_schemas.OfferResults.model_validate_json(answer.content)
    assert told.results[0].earned_each == 0.475
    assert [(one.campaign, one.lift) for one in told.lift] == [(None, 0.5), ("spring", None)]
    assert "100 customers" in told.lift[1].refused
    uniform, _, nothing = told.policies.policies
    assert (uniform.value.value, uniform.gain.value) == (0.3, -0.175)
    assert (nothing.value, nothing.refused) == (None, "an effective sample of 12 is too small")


async def test_nobody_without_a_key_is_told(http):
    assert (await http.get("/v1/offers/results")).status_code == 401
    assert (await http.get("/offers")).status_code == 303


async def test_an_answer_is_kept_for_a_while(http, serve, monkeypatch):
    for _ in range(3):
        await http.get("/v1/offers/results", headers=KEY)
    assert serve.asked == 1
    monkeypatch.setattr(serve.state.offers, "_until", 0.0)
    await http.get("/v1/offers/results", headers=KEY)
    assert serve.asked == 2


async def test_without_clickhouse_it_is_503_and_the_page_says_so(agent, serve):
    serve.tells = OperationalError("connection refused")
    answer = await agent.get("/v1/offers/results", headers=KEY)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:c360:results-unavailable")
    page = await agent.get("/offers")
    assert page.status_code == 503
    assert "ClickHouse" in page.text


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("What making offers caused", "Always what seems best", "Too little to tell")),
        ("ko", ("제안이 만들어 낸 효과", "항상 가장 좋아 보이는 것", "판단하기에 너무 적습니다")),
    ],
)
async def test_the_page_says_it_in_both_languages(agent, language, said):
    page = await agent.get(f"/offers?lang={language}")
    assert page.status_code == 200
    for words in (*said, "+0.50", "+0.30", "-0.175", "2,345"):
        assert words in page.text
    assert "style=" not in page.text


async def test_the_page_without_outcomes_says_why(agent, serve):
    serve.tells = EMPTY
    page = await agent.get("/offers?lang=en")
    assert page.status_code == 200
    assert page.text.count("No decision has an outcome yet") == 3


def test_intervals_are_drawn_on_one_scale_and_coloured_by_what_is_sure():
    policies = offers.told(WHOLE, 0)["policies"]
    shown = drawn(policies["logged"], policies["policies"])
    assert {name: one.kind for name, one in shown.ranges.items()} == {
        "uniform": "worse",
        "greedy": "better",
    }
    assert shown.ranges["uniform"].low == EDGE
    assert shown.ranges["greedy"].high == WIDE - EDGE
    assert shown.ranges["uniform"].value < shown.logged.value < shown.ranges["greedy"].value
    assert drawn(None, []) is None
    flat = {"value": 1.0, "low": 1.0, "high": 1.0}
    alike = drawn(flat, [{"policy": "uniform", "value": flat, "gain": flat | {"low": 0.0}}])
    assert alike.ranges["uniform"].kind == "unsure"


def test_a_figure_of_nobody_is_none():
    class Client:
        def query(self, *_, **__):
            return self

        def named_results(self):
            return [{"lift": math.nan, "campaign": "", "made": 0}]

    assert offer_worth._rows(Client(), "") == [{"lift": None, "campaign": "", "made": 0}]
