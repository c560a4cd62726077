"""Answers as of a time: what is asked, what is told, and what is refused."""

from datetime import timedelta

import httpx
import msgspec
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

import models.events as ev
from models.asof import Edge, episodes
from models.customer import Episode
from models.naming import derive
from models.records import Decision, Reason, Score
from projections import decisions, scores
from projections.past import Ahead, Past, PastUnavailableError
from projections.serve import schemas
from projections.serve.app import build
from projections.serve.asof import question
from projections.serve.problems import Problem
from projections.serve.sources import Sources
from tests.support import loading
from tests.support.customers import OFFERS, customer, record
from tests.support.histories import NOON, event, usd
from tests.support.past import Remembered, Tables

KEY = {"Authorization": "Bearer test-api-key"}
ANA = "user_id:ana"
BROWSER = "anonymous_id:b-1"
HOUR = timedelta(hours=1)
SCORE = Score(
    score_id="s1", customer_id=derive(ANA), model="churn", model_version=7, at_ms=1_772_366_400_123,
    cause="e1", probability=0.75, band="high", horizon_days=30,
    reasons=[Reason("silence", 1.5, 12.0)],
)  # fmt: skip
DECISION = Decision(
    decision_id="d1", customer_id=derive(ANA), at_ms=1_772_366_400_123, cause="e1",
    expires_ms=1_772_400_000_000, offer="double-points", channel="email", propensity=0.5,
    propensities={"double-points": 0.5, "none": 0.5}, model_version=3, policy="thompson-2",
)  # fmt: skip


class Recorded(Remembered):
    """A past in memory, with a ledger of one record each."""

    def score(self, ids, at_ms, known_ms):
        return SCORE

    def decision(self, ids, at_ms, known_ms):
        return DECISION

    def edges(self, ids, at_ms, known_ms):
        return [Edge("churn_risk:c_x:2", "churn_risk", "opened", 1_772_366_400_123, "")]


def touch(tables, key, number, at, kind=ev.PageViewed, received=None, **fields):
    """Put a touchpoint of the customer that `key` names into the log."""
    who = (ev.Identifier(type=key.partition(":")[0], value=key.partition(":")[2]),)
    one = event(kind, at, f"e{number}", who, received_at=received or at, **fields)
    placed = {"customer_id": derive(key), "origin": "touchpoints/0", "origin_offset": number}
    return tables.append(one.model_copy(update=placed))


def merge(tables, loser, winner, at):
    told = ev.CustomerMerged(
        event_id="m", occurred_at=at, received_at=at, customer_id=derive(loser), origin_offset=1,
        loser=derive(loser), winner=derive(winner), link_id="l",
    )  # fmt: skip
    return tables.append(told)


@pytest.fixture
def tables():
    """Ana in her browser, then logged in, then an order."""
    tables = Tables()
    touch(tables, BROWSER, 1, NOON)
    merge(tables, BROWSER, ANA, NOON + HOUR)
    touch(tables, ANA, 2, NOON + HOUR)
    touch(tables, ANA, 3, NOON + 3 * HOUR, ev.OrderPlaced, order_id="o1", total=usd("10.00"))
    return tables


@pytest.fixture
def past(tables):
    return Recorded(tables)


@pytest.fixture
async def http(make_settings, tmp_path, tables, past):
    offers = tmp_path / "offers.toml"
    offers.write_text(OFFERS)
    settings = make_settings(offers_file=offers)
    sources = Sources(settings)
    sources.past = past
    newest = {one.key.decode(): one for one in tables.records}
    held = {
        ANA: customer(ANA, offset=newest[derive(ANA)].offset, absorbed=[derive(BROWSER)]),
        BROWSER: customer(BROWSER, offset=newest[derive(BROWSER)].offset, merged_into=derive(ANA)),
    }
    sources.live.apply(record(one, newest[one.customer_id].partition) for one in held.values())
    sources.live.mark_ready()
    transport = httpx.ASGITransport(build(settings, sources, follow=False))
    async with httpx.AsyncClient(transport=transport, base_url="http://c360", headers=KEY) as http:
        yield http


async def ask(http, key, **times):
    said = {name: at if isinstance(at, str) else at.isoformat() for name, at in times.items()}
    return await http.get(f"/v1/profiles/{key}", params=said)


async def test_a_customer_is_answered_whole_as_of_a_time(http):
    answer = await ask(http, ANA, at=NOON + 2 * HOUR)
    body = answer.json()
    schemas.CustomerAsOf.model_validate_json(answer.content)
    assert (body["computed"]["events"], body["computed"]["orders"]) == (2, 0)
    assert body["merged_from"] == [derive(BROWSER)]
    assert body["scores"]["churn"]["probability"] == 0.75
    assert body["offer"]["offer"] == "double-points"
    assert [one["status"] for one in body["episodes"]] == ["open"]
    told = body["as_of"]
    assert told["at"] == "2026-03-01T14:00:00.000Z"
    assert (told["known_at"], told["events"]) == (None, 2)
    assert told["members"] == sorted([derive(ANA), derive(BROWSER)])
    assert told["complete"] is True
    assert "version" not in body


async def test_known_at_tells_who_was_held_for_whom_then(http):
    before, after = [
        (await ask(http, BROWSER, known_at=NOON + late * HOUR)).json() for late in (0.5, 1)
    ]
    assert (before["customer_id"], before["as_of"]["members"]) == (
        derive(BROWSER),
        [derive(BROWSER)],
    )
    assert after["customer_id"] == derive(ANA)
    assert after["as_of"]["identity_at"] == "2026-03-01T13:00:00.000Z"


async def test_both_times_are_taken_together(http, tables):
    late = NOON + 5 * HOUR  # a call of noon that was written down in the afternoon
    touch(tables, ANA, 9, NOON, ev.CallReceived, received=late)
    for known, calls in ((late - HOUR, 0), (late, 1)):
        body = (await ask(http, ANA, at=NOON + HOUR / 2, known_at=known)).json()
        assert body["computed"]["events_by_type"].get("call_received", 0) == calls


async def test_what_clickhouse_has_not_yet_is_said(http, past, tables):
    tables.records.pop()
    assert (await ask(http, ANA, at=NOON + 2 * HOUR)).json()["as_of"]["complete"] is False


async def test_a_time_before_all_time_is_before_the_first_event(http):
    for name in ("at", "known_at"):
        answer = await ask(http, ANA, **{name: "0001-01-01T00:00:00+14:00"})
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:c360:not-yet")


async def test_before_the_first_event_there_was_nobody(http):
    answer = await ask(http, ANA, at=NOON - HOUR)
    assert answer.status_code == 404
    assert "2026-03-01T12:00:00.000Z" in answer.json()["detail"]
    assert (await ask(http, ANA, known_at=NOON - HOUR)).json()["type"] == "urn:c360:not-yet"


async def test_a_backfills_end_is_told_until_something_newer_is_live(http, tables):
    end = NOON + 6 * HOUR
    touch(tables, ANA, 8, NOON + 5 * HOUR, received=end, observed_until=end)
    touch(tables, ANA, 9, end + HOUR)
    for at, told in ((5, "2026-03-01T18:00:00.000Z"), (6.5, "2026-03-01T18:00:00.000Z"), (7, None)):
        body = (await ask(http, ANA, at=NOON + at * HOUR)).json()
        assert body["observed_until"] == told


async def test_somebody_unknown_is_not_found(http):
    answer = await ask(http, "user_id:nobody", at=NOON)
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:c360:not-found")


@pytest.mark.parametrize("name", ["at", "known_at"])
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("yesterday", "invalid-time"),
        ("1772366400", "invalid-time"),
        ("", "invalid-time"),
        ("2026-02-30T00:00:00Z", "invalid-time"),
        ("0001-01-01T00:00:00+14:00x", "invalid-time"),
        ("2999-01-01T00:00:00Z", "in-the-future"),
    ],
)
async def test_a_time_that_cannot_be_used_is_refused_by_name(http, name, text, kind):
    answer = await ask(http, ANA, **{name: text})
    assert (answer.status_code, answer.json()["type"]) == (422, f"urn:c360:{kind}")
    assert answer.json()["detail"].startswith(f"{name}: ")


async def test_a_receipt_is_for_the_live_profile(http):
    answer = await ask(http, ANA, at=NOON, wait_for="touchpoints/0:1")
    assert answer.status_code == 422


async def test_without_a_key_nothing_is_told(http):
    answer = await http.get(f"/v1/profiles/{ANA}?at=2026-03-01", headers={"Authorization": ""})
    assert answer.status_code == 401


async def test_without_clickhouse_only_the_past_is_missing(http, past):
    past.down = True
    answer = await ask(http, ANA, at=NOON)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await http.get(f"/v1/profiles/{ANA}")).status_code == 200


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-03-01T12:00:00Z", 1_772_366_400_000),
        ("2026-03-01T12:00:00.123", 1_772_366_400_123),
        ("2026-03-01T21:00:00+09:00", 1_772_366_400_000),
        ("2026-03-01T21:00:00 09:00", 1_772_366_400_000),  # a plus sign that was not escaped
        ("2026-03-01", 1_772_323_200_000),
    ],
)
def test_times_are_read_as_people_and_programs_write_them(text, ms):
    assert question(text, None, 2 * ms).at_ms == ms


def test_without_a_time_it_is_the_live_profile_that_is_asked_for():
    assert question(None, None, 0) is None


def test_a_time_is_not_in_the_future_until_it_is():
    assert question("1970-01-01T00:00:01Z", None, 1_000).at_ms == 1_000
    with pytest.raises(Problem, match="has not come yet"):
        question("1970-01-01T00:00:01Z", None, 999)


def test_an_episode_is_open_until_its_own_end():
    first, second = "churn_risk:c_a:1", "churn_risk:c_a:2"
    edges = [
        Edge(first, "churn_risk", "opened", 10, ""),
        Edge(first, "churn_risk", "closed", 20, "saved"),
        Edge(second, "churn_risk", "opened", 30, ""),
        Edge("churn_risk:c_b:1", "churn_risk", "closed", 40, "merged"),
    ]
    assert episodes(edges[:2]) == {"churn_risk": Episode(1, "closed", 10, 20, "saved")}
    assert episodes(edges) == {"churn_risk": Episode(2, "open", 30)}
    assert episodes([]) == {}


class Client:
    """Answers with what it was given, or fails so."""

    def __init__(self, error):
        self.error = error

    def query(self, *_, **__):
        raise self.error


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("connection refused"),
        OSError("no route"),
        DatabaseError("code: 202, too many", code=202),
        DatabaseError("code: 60, no such table", code=60),
    ],
)
def test_clickhouse_away_is_told_apart(error):
    with pytest.raises(PastUnavailableError):
        Past(lambda: Client(error)).paths(["c_a"])


def test_a_fault_of_ours_is_no_outage():
    with pytest.raises(DatabaseError):
        Past(lambda: Client(DatabaseError("code: 62, syntax", code=62))).paths(["c_a"])


def test_those_who_likely_matter_are_asked_for_once(past):
    asked = []
    count = past.paths
    past.paths = lambda ids: asked.append(sorted(ids)) or count(ids)
    ahead = Ahead(past, [derive(ANA), derive(BROWSER)])
    assert len(ahead.moves_of([derive(BROWSER)])[derive(BROWSER)]) == 1
    assert ahead.led_to([derive(ANA)]) == {derive(BROWSER)}
    assert asked == [sorted([derive(ANA), derive(BROWSER)])]


def test_a_ledgers_row_tells_the_record_that_it_was_made_of():
    for table, made in ((scores, SCORE), (decisions, DECISION)):
        [(_, laid_out)] = table.project(loading.Record(0, b"", msgspec.json.encode(made)))
        row = dict(zip(table.TABLE.names, laid_out, strict=True))
        times = {name: ev_time(row[name]) for name in ("at", "expires") if name in row}
        assert table.from_row(row | times) == made


def ev_time(ms):
    noon = NOON.replace(tzinfo=None)  # as the client gives it
    return noon + timedelta(milliseconds=ms - int(NOON.timestamp()) * 1_000)
