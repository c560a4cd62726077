"""The customer's page as of a time, in both languages, and what it says when that cannot be."""

import re
from datetime import timedelta

import httpx
import pytest

from models.events import Identifier, OrderPlaced, PageViewed
from models.naming import derive
from models.profile import Profile
from projections.serve.app import build
from projections.serve.console.words import LANGUAGES, words
from projections.serve.sources import Sources
from tests.support.customers import OFFERS, customer, record
from tests.support.histories import NOON, event, usd
from tests.support.past import Remembered, Tables

ANA = "user_id:ana"
HOUR = timedelta(hours=1)
FROM_HERE = {"Origin": "http://c360", "Sec-Fetch-Site": "same-origin"}


def touch(tables, number, at, kind=PageViewed, received=None, **fields):
    who = (Identifier(type="user_id", value="ana"),)
    one = event(kind, at, f"e{number}", who, received_at=received or at, **fields)
    place = {"customer_id": derive(ANA), "origin": "touchpoints/0", "origin_offset": number}
    tables.append(one.model_copy(update=place))


@pytest.fixture
def past():
    """A page at noon; an order an hour later, that came in an hour after."""
    tables = Tables()
    touch(tables, 1, NOON)
    bought = {"order_id": "o1", "total": usd("10.00")}
    touch(tables, 2, NOON + HOUR, OrderPlaced, received=NOON + 2 * HOUR, **bought)
    return Remembered(tables)


@pytest.fixture
async def agent(make_settings, tmp_path, past):
    offers = tmp_path / "offers.toml"
    offers.write_text(OFFERS)
    settings = make_settings(offers_file=offers)
    sources = Sources(settings)
    sources.past = past
    profile = Profile(identifiers={ANA: int(NOON.timestamp() * 1_000)}, events=2)
    sources.live.apply([record(customer(ANA, offset=1, profile=profile), 0)])
    sources.live.mark_ready()
    transport = httpx.ASGITransport(build(settings, sources, follow=False))
    async with httpx.AsyncClient(transport=transport, base_url="http://c360") as http:
        await http.post("/login", data={"key": "test-api-key"}, headers=FROM_HERE)
        yield http


async def shown(agent, language="en", **times):
    said = {name: at if isinstance(at, str) else at.isoformat() for name, at in times.items()}
    return await agent.get(f"/customers/{ANA}", params=said | {"lang": language})


def orders(html):
    at = html.index(words("en")("value.orders"))
    return int(re.search(r"<dd>(\d+)</dd>", html[at:])[1])


@pytest.mark.parametrize(
    ("times", "count"),
    [
        ({"at": NOON + HOUR / 2}, 0),
        ({"at": NOON + HOUR}, 1),
        ({"known_at": NOON + HOUR}, 0),
        ({"known_at": NOON + 2 * HOUR}, 1),
        ({"at": NOON + HOUR, "known_at": NOON + HOUR}, 0),
    ],
)
async def test_the_page_shows_what_was_then(agent, times, count):
    answer = await shown(agent, **times)
    assert answer.status_code == 200
    assert orders(answer.text) == count
    assert "data-stream" not in answer.text, "nothing of today may be put into it"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_it_says_as_of_when_and_leads_back(agent, language):
    said = words(language)
    html = (await shown(agent, language, at=NOON + HOUR, known_at=NOON + 2 * HOUR)).text
    for key in ("is", "at", "known_at", "today", "show"):
        assert said(f"past.{key}") in html
    assert 'datetime="2026-03-01T13:00:00.000Z" data-when' in html
    assert 'data-at="2026-03-01T14:00:00.000Z"' in html
    assert f'href="/customers/{derive(ANA)}"' in html
    assert "version 0" not in html


async def test_the_live_page_has_the_fields_and_empty_ones_ask_for_it(agent):
    live = (await agent.get(f"/customers/{derive(ANA)}")).text
    assert 'name="known_at" type="datetime-local"' in live
    assert words("en")("past.is") not in live
    empty = await agent.get(f"/customers/{derive(ANA)}", params={"at": "", "known_at": ""})
    assert "data-stream" in empty.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("at", "status", "why"),
    [
        (NOON - HOUR, 404, "not-yet"),
        ("yesterday", 422, "invalid-time"),
        ("0001-01-01T00:00:00+23:59", 404, "not-yet"),
        ("2999-01-01", 422, "in-the-future"),
    ],
)
async def test_what_cannot_be_shown_is_said_in_words(agent, language, at, status, why):
    answer = await shown(agent, language, at=at)
    assert answer.status_code == status
    assert words(language)(f"past.{why}") in answer.text
    assert 'name="at"' in answer.text, "another time can be tried"


async def test_without_clickhouse_it_says_that_today_goes_on(agent, past):
    past.down = True
    answer = await shown(agent, at=NOON)
    assert answer.status_code == 503
    assert words("en")("past.past-unavailable_about") in answer.text
    nobody = await agent.get("/customers/user_id:nobody", params={"at": "2026-03-01"})
    assert (nobody.status_code, words("en")("past.not-found") in nobody.text) == (404, True)
