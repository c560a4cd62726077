"""With `known_at`, an identifier leads to whom it led to then: whom it names, else who had it."""

from datetime import timedelta

import httpx
import pytest

from models.events import CustomerAliased, CustomerMerged, PageViewed
from models.naming import derive
from models.profile import Profile
from projections.serve.app import build
from projections.serve.sources import Sources
from tests.support.customers import OFFERS, customer, record
from tests.support.histories import NOON, event, named
from tests.support.past import Remembered, Tables

KEY = {"Authorization": "Bearer test-api-key"}
ANA, BEN, BROWSER, MAIL = "user_id:ana", "user_id:ben", "anonymous_id:b-1", "email:a@x.com"
HOUR = timedelta(hours=1)


class World:
    """A log, and the customers as they stand today."""

    def __init__(self, settings):
        self.tables = Tables()
        self.sources = Sources(settings)
        self.sources.past = Remembered(self.tables)
        self.sources.live.mark_ready()
        self.settings = settings
        self._told = 0

    def touch(self, *who, at, received=None, kind=PageViewed, **fields):
        self._told += 1
        received = received or at
        names = tuple(map(named, who))
        one = event(kind, at, f"e{self._told}", names, received_at=received, **fields)
        place = {"customer_id": derive(who[0]), "origin": "touchpoints/0"}
        self.tables.append(one.model_copy(update=place | {"origin_offset": self._told}))

    def merge(self, loser, winner, at):
        self.tables.append(
            CustomerMerged(
                event_id="m", occurred_at=at, received_at=at, customer_id=derive(loser),
                origin_offset=1, loser=derive(loser), winner=derive(winner), link_id="l",
            )
        )  # fmt: skip

    def today(self, key, carries=(), **over):
        identifiers = {text: int(at.timestamp() * 1_000) for text, at in carries}
        made = customer(key, profile=Profile(identifiers=identifiers, events=1), **over)
        self.sources.live.apply([record(made, 0)])

    async def asked(self, key, **times):
        transport = httpx.ASGITransport(build(self.settings, self.sources, follow=False))
        async with httpx.AsyncClient(transport=transport, base_url="http://c", headers=KEY) as http:
            said = {name: at.isoformat() for name, at in times.items()}
            return await http.get(f"/v1/profiles/{key}", params=said)

    async def whose(self, key, **times):
        answer = await self.asked(key, **times)
        assert answer.status_code == 200, answer.text
        return answer.json()["customer_id"]


@pytest.fixture
def world(make_settings, tmp_path):
    offers = tmp_path / "offers.toml"
    offers.write_text(OFFERS)
    return World(make_settings(offers_file=offers))


async def test_it_leads_to_who_carried_it_then_not_to_who_is_known_to_have_had_it_first(world):
    world.touch(BEN, MAIL, at=NOON + HOUR)
    world.touch(ANA, MAIL, at=NOON, received=NOON + 3 * HOUR)  # had it first, and came in late
    world.today(ANA, [(MAIL, NOON)])
    world.today(BEN, [(MAIL, NOON + HOUR)])
    assert await world.whose(MAIL, known_at=NOON + 2 * HOUR) == derive(BEN)
    assert await world.whose(MAIL, known_at=NOON + 3 * HOUR) == derive(ANA)
    assert await world.whose(MAIL, at=NOON + 2 * HOUR) == derive(ANA), "as it stands today"


async def test_it_leads_to_a_member_who_was_somebody_else_then(world):
    world.touch(BROWSER, MAIL, at=NOON)
    world.touch(ANA, at=NOON)
    world.merge(BROWSER, ANA, NOON + 2 * HOUR)
    world.today(ANA, [(MAIL, NOON)], absorbed=[derive(BROWSER)])
    world.today(BROWSER, merged_into=derive(ANA))
    assert await world.whose(MAIL, known_at=NOON + HOUR) == derive(BROWSER)
    assert await world.whose(MAIL, known_at=NOON + 2 * HOUR) == derive(ANA)


async def test_whom_it_names_today_was_nobody_yet(world):
    world.touch(ANA, MAIL, at=NOON)
    world.touch(MAIL, at=NOON + 2 * HOUR)
    world.today(ANA, [(MAIL, NOON)])
    world.today(MAIL, [(MAIL, NOON + 2 * HOUR)])
    assert await world.whose(MAIL, known_at=NOON + HOUR) == derive(ANA)
    assert await world.whose(MAIL, known_at=NOON + 2 * HOUR) == derive(MAIL)


async def test_an_alias_carries_what_it_was_called_before(world):
    old = (named(MAIL),)
    world.touch(ANA, at=NOON, kind=CustomerAliased, previous=old)
    world.today(ANA, [(MAIL, NOON)])
    assert await world.whose(MAIL, known_at=NOON) == derive(ANA)


async def test_before_anybody_had_it_that_is_said(world):
    world.touch(ANA, at=NOON - HOUR)
    world.touch(ANA, MAIL, at=NOON)
    world.today(ANA, [(MAIL, NOON)])
    answer = await world.asked(MAIL, known_at=NOON - HOUR)
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:c360:not-yet")
    assert "no customer was known as 'email:a@x.com' by 2026-03-01T11:00:00.000Z" in answer.text
