"""What would be offered to a customer, as the API and the terminal tell it."""

import httpx
import pytest
from rich.console import Console

from infra.cli.profile_view import considered as in_terminal
from models.eligibility import Refusal
from models.online.learning_offers import OffersLearner
from models.online.snapshots import encode
from projections.live import Record
from projections.live_offer_model import LiveOfferModel
from projections.newest_decision import Newest
from projections.serve import considered
from projections.serve.app import build
from projections.serve.offers import Offers
from projections.serve.problems import Problem
from projections.serve.sources import Sources
from tests.support.customers import ANA, OFFERS, record, rich

KEY = {"Authorization": "Bearer test-api-key"}
SECRET = b"secret"
GOLD = """
[[offers]]
id = "gold"
name = { en = "Gold", ko = "금" }
channels = ["phone"]
value = 50.0
eligible = { tiers = ["gold"], during_complaint = true }

[[offers]]
id = "care"
name = { en = "A call", ko = "전화" }
channels = ["phone", "push"]
value = 9.0
eligible = { during_complaint = true }

[policy]
holdout = 0.0
"""


@pytest.fixture
async def http(make_settings, tmp_path):
    offers = tmp_path / "offers.toml"
    offers.write_text(OFFERS + GOLD)
    settings = make_settings(offers_file=offers)
    serve = build(settings, Sources(settings), follow=False)
    serve.state.sources.live.apply([record(rich())])
    serve.state.sources.live.mark_ready()
    transport = httpx.ASGITransport(serve, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://c360", headers=KEY) as http:
        yield http


async def test_each_arm_has_its_chance_and_worth_or_the_reason_why_not(http):
    answer = await http.get(f"/v1/profiles/{ANA}/offers")
    body = considered.CustomerOffers.model_validate_json(answer.content).model_dump()
    assert body["currency"] == "USD"
    assert body["offer"]["offer"] == "double-points"
    arms = {one["arm"]: one for one in body["arms"]}
    assert list(arms) == [
        "double-points/email", "double-points/app", "gold/phone", "care/phone", "care/push", "none",
    ]  # fmt: skip
    refused = {name: one["refusal"] for name, one in arms.items() if not one["eligible"]}
    assert refused == {
        "double-points/email": "complaint",
        "double-points/app": "complaint",
        "gold/phone": "tier",
        "care/push": "unreachable",
    }
    assert arms["gold/phone"]["text"]["en"] == "not of a tier that it is for"
    assert arms["gold/phone"]["worth"] is None
    care = arms["care/phone"]
    assert care["worth"] == pytest.approx(9.0 * care["conversion"], abs=0.001)
    assert sum(one["propensity"] for one in arms.values()) == pytest.approx(1.0)
    assert care["name"] == {"en": "A call", "ko": "전화"}


async def test_nobody_has_no_offers_and_nobody_may_ask_without_a_key(http):
    assert (await http.get("/v1/profiles/email:no@x.kr/offers")).status_code == 404
    bare = {"Authorization": ""}
    assert (await http.get(f"/v1/profiles/{ANA}/offers", headers=bare)).status_code == 401


FROM_HERE = {"Origin": "http://c360", "Sec-Fetch-Site": "same-origin"}
CHANCES = {"care/phone": 0.82, "old/app": 0.11, "none": 0.07}
DECIDED = Newest(1_780_000_000_000, "care/phone", CHANCES, "thompson-4", 7, False)


@pytest.fixture
async def page(http, monkeypatch):
    """The console's page as of a newest decision, or without ClickHouse."""
    await http.post("/login", data={"key": "test-api-key"}, headers=FROM_HERE)

    async def shown(newest, key=ANA, language="en"):
        async def answer(_, ids):
            assert ids == (rich().customer_id,)
            if isinstance(newest, Exception):
                raise newest
            return newest

        monkeypatch.setattr(Offers, "newest_decision", answer)
        return await http.get(f"/offers/considered?key={key}&lang={language}")

    return shown


@pytest.mark.parametrize(
    ("language", "why", "gone"),
    [
        ("en", "not of a tier that it is for", "no longer in the catalogue"),
        ("ko", "대상 등급이 아님", "카탈로그에서 빠짐"),
    ],
)
async def test_the_page_tells_what_was_drawn_from_and_why_not_in_words(page, language, why, gone):
    text = (await page(DECIDED, language=language)).text
    assert all(words in text for words in (why, gone, "82%", "11%"))
    assert text.index("82%") < text.index("11%") < text.index(why)
    assert text.count("chip accent") == 1
    assert "style=" not in text


async def test_the_page_without_a_decision_or_without_clickhouse_tells_what_is_so_now(page):
    assert "Nothing was decided" in (await page(None)).text
    away = await page(Problem(503, "results-unavailable", "away"))
    assert away.status_code == 200
    assert "does not answer" in away.text
    assert "a ticket is open" in away.text


async def test_the_page_of_nobody_is_not_found(page):
    answer = await page(None, key="email:no@x.kr")
    assert (answer.status_code, "email:no@x.kr" in answer.text) == (404, True)


def test_every_refusal_is_said_in_both_languages():
    assert considered.WHY.keys() == set(Refusal)
    assert all(en and ko for en, ko in considered.WHY.values())


async def test_the_terminal_tells_it_too(http):
    body = (await http.get(f"/v1/profiles/{ANA}/offers")).json()
    console = Console(width=120, record=True, file=None)
    with console.capture() as shown:
        console.print(in_terminal(body))
    text = shown.get()
    assert "double-points stands" in text
    assert "a ticket is open" in text
    assert text.index("care") < text.index("gold")


def snapshot_of(learnt, secret=SECRET):
    learner = OffersLearner("offers")
    for _ in range(learnt):
        learner.offers.learn_one({}, "a/app", 1.0)
    return Record(b"offers", encode(learner.snapshot(), secret), 0)


def test_the_newest_model_of_ours_is_followed():
    clock = [0]
    live = LiveOfferModel(SECRET, lambda: clock[0])
    assert live.now().learnt == 0
    live.apply([snapshot_of(2), Record(b"churn", b"{}", 0)])
    assert live.now().learnt == 2
    live.apply([snapshot_of(3)])
    assert live.now().learnt == 2  # looked at a moment ago
    clock[0] = 5_000
    assert live.now().learnt == 3
    clock[0] = 10_000
    live.apply([snapshot_of(4, b"another")])
    assert (live.now().learnt, live.refused) == (3, 1)
