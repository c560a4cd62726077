"""Profiles as of a time, with the real Kafka and ClickHouse: projected, kept and answered."""

from datetime import UTC, datetime, timedelta
from functools import partial, reduce

import httpx
import msgspec
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from models.customer import encode
from models.events import CustomerAliased, Identifier, PageViewed
from models.naming import derive, identifier_of
from models.profile import Profile, evolve
from models.records import Score
from models.topics import EVENTS, PROFILES, SCORES
from projections.client import connect, is_behind
from projections.past import Past, PastUnavailableError
from projections.rebuild import rebuild
from tests.support import waiting
from tests.support.histories import event
from tests.support.kafka_log import read_all, send
from tests.support.log_samples import START, history, merged, messages
from tests.support.offline_fold import offline
from tests.support.past import Tables

pytestmark = pytest.mark.stack
until = partial(waiting.until, seconds=120)

KEY = {"Authorization": "Bearer test-api-key"}
LOSER, WINNER = (derive(f"user_id:{name}") for name in ("loser", "winner"))
MERGED_AT = START + timedelta(days=60)


@pytest.fixture
def log(settings):
    """Events of two customers, one of whom turns out to be the other; and their profiles."""
    names = {f"c_{0:020d}": LOSER, f"c_{1:020d}": WINNER}
    events = [
        one.model_copy(update={"customer_id": names[one.customer_id]})
        for one in history(400, customers=2)
    ]
    turn = {"received_at": MERGED_AT, "occurred_at": MERGED_AT}
    send(settings.kafka, settings.topic(EVENTS), messages(events))
    send(
        settings.kafka,
        settings.topic(EVENTS),
        messages([merged(1, LOSER, WINNER).model_copy(update=turn)]),
    )
    live = [(of.encode(), encode(one)) for of, one in offline(settings).items()]
    send(settings.kafka, settings.topic(PROFILES), live)
    return events


@pytest.fixture
def http(settings, start_part):
    serving = start_part(settings, "projections.serve")
    base = f"http://127.0.0.1:{settings.serve_port}"
    with httpx.Client(base_url=base, headers=KEY, timeout=30) as http:
        until(lambda: _ready(http), what=serving.tail())
        yield http


def _ready(http):
    try:
        return http.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def as_of(http, customer_id, **times):
    said = {name: at.isoformat() for name, at in times.items()}
    return http.get(f"/v1/profiles/{customer_id}", params=said)


def fold(events):
    return reduce(evolve, events, Profile())


def test_as_of_a_time_a_customer_is_what_the_log_gives(log, settings, http, ask, start_part):
    start_part(settings, "projections")
    until(lambda: ask("SELECT count() FROM log")[0][0] == len(log) + 1)
    for days in (10, 59, 61, 150):
        at = START + timedelta(days=days)
        for key in (LOSER, WINNER):
            body = as_of(http, key, at=at).json()
            profile = fold(one for one in log if one.occurred_at <= at)
            assert body["customer_id"] == WINNER
            assert body["as_of"]["members"] == sorted([LOSER, WINNER])
            assert body["computed"]["events_by_type"] == profile.events_by_type
            assert body["as_of"]["events"] == profile.events
            known = as_of(http, key, known_at=at).json()
            together = at >= MERGED_AT
            profile = fold(
                one for one in log if one.received_at <= at and (together or one.customer_id == key)
            )
            assert known["customer_id"] == (WINNER if together else key)
            assert known["computed"]["orders"] == profile.orders


def test_a_name_leads_to_whom_it_led_then(settings, ask, start_part):
    mail = Identifier(type="email", value='o"neil@x.com')
    tables, told = Tables(), []
    hour = timedelta(hours=1)
    said = [  # who, when it happened, when it came in, what names came along
        ("user_id:ben", 1, 1, {"identifiers": (mail,)}),
        ("user_id:ana", 0, 3, {"identifiers": (mail,)}),
        ("user_id:cat", -1, 5, {"kind": CustomerAliased, "previous": (mail,)}),
        (str(mail), 7, 7, {}),
        ("user_id:dan", -9, 0, {}),
    ]
    for number, (who, at, received, more) in enumerate(said):
        own = (identifier_of(who), *more.pop("identifiers", ()))
        one = event(
            more.pop("kind", PageViewed), START + at * hour, f"e{number}", own,
            received_at=START + received * hour, **more,
        )  # fmt: skip
        place = {"origin": "touchpoints/0", "origin_offset": number}
        told.append(one.model_copy(update=place | {"customer_id": derive(who)}))
        tables.append(told[-1])
    send(settings.kafka, settings.topic(EVENTS), messages(told))
    start_part(settings, "projections")
    until(lambda: ask("SELECT count() FROM log")[0][0] == len(told))
    past = Past(lambda: connect(settings))
    ids = {derive(who) for who, *_ in said}
    whose = []
    for late in (0, 1, 3, 5, 7):
        known_ms = int((START + late * hour).timestamp() * 1_000)
        whose.append(past.known_as(mail, ids, known_ms))
        assert whose[-1] == tables.known_as(mail, ids, known_ms)
    ben, ana, cat, own = (derive(who) for who, *_ in said[:4])
    assert whose == [None, ben, ana, cat, own]


def test_of_today_it_is_the_live_profile_and_says_that_it_is_complete(
    log, settings, http, ask, start_part
):
    assert as_of(http, WINNER, at=START).json()["type"] == "urn:c360:not-yet"  # nothing projected
    start_part(settings, "projections")
    until(lambda: ask("SELECT count() FROM log")[0][0] == len(log) + 1)
    live = http.get(f"/v1/profiles/{LOSER}").json()
    now = as_of(http, LOSER, at=datetime.now(UTC).date()).json()
    told = now.pop("as_of")
    assert told["complete"] is False, "what the merge forwarded is not in this log"
    for name in ("identifiers", "traits", "computed", "timeline", "interests", "products"):
        assert now[name] == live[name], name
    assert now["merged_from"] == live["merged_from"]


def test_the_ledgers_tell_what_was_recorded_by_then(log, settings, http, ask, start_part):
    causes = sorted(log, key=lambda one: one.occurred_at)
    made = [
        Score(
            score_id=f"s{number}",
            customer_id=one.customer_id,
            model="churn",
            model_version=number,
            at_ms=one.occurred_ms,
            cause=one.event_id,
            probability=number / 1_000,
            band="low",
            horizon_days=30,
        )
        for number, one in enumerate(causes)
    ]
    values = [(one.customer_id.encode(), msgspec.json.encode(one)) for one in made]
    send(settings.kafka, settings.topic(SCORES), values)
    start_part(settings, "projections")
    until(lambda: ask("SELECT count() FROM scores")[0][0] == len(made))
    until(lambda: ask("SELECT count() FROM log")[0][0] == len(log) + 1)
    at = causes[200].occurred_at
    assert as_of(http, WINNER, at=at).json()["scores"]["churn"]["score_id"] == "s200"
    early = at - timedelta(seconds=1)  # s200 had happened, and had not reached us
    assert (
        as_of(http, WINNER, at=at, known_at=early).json()["scores"]["churn"]["model_version"] < 200
    )


def test_a_rebuild_makes_the_log_anew_and_a_replay_adds_nothing(log, settings, ask):
    for _ in range(2):
        rebuilt = {one.table: one for one in rebuild(settings, lambda done, there: None)}
        assert rebuilt["log"].after == len(log) + 1
    assert ask("SELECT root, customer_id FROM places") == [(WINNER, LOSER)]
    bodies = {(p, n): body for p, n, body in ask(BODIES)}
    on_topic = read_all(settings.kafka, settings.topic(EVENTS))
    assert bodies == {(one.partition, one.offset): one.value.decode() for one in on_topic}


BODIES = "SELECT log_partition, log_offset, body FROM log"


def test_without_clickhouse_live_profiles_go_on(log, settings, start_part):
    away = settings.model_copy(update={"clickhouse": "http://127.0.0.1:9"})
    serving = start_part(away, "projections.serve")
    base = f"http://127.0.0.1:{settings.serve_port}"
    with httpx.Client(base_url=base, headers=KEY, timeout=30) as http:
        until(lambda: _ready(http), what=serving.tail())
        answer = as_of(http, WINNER, at=START)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.json()["type"] == "urn:c360:past-unavailable"
        assert http.get(f"/v1/profiles/{WINNER}").status_code == 200
    assert "no answer as of a time" in serving.log.read_text()


def test_it_is_read_as_one_who_may_not_write(settings):
    past = Past(lambda: connect(settings))
    with pytest.raises(PastUnavailableError, match="READONLY"):
        past._query("ALTER TABLE log DELETE WHERE 1", {})


@pytest.mark.parametrize(
    "sql", ["SELECT later FROM log", "SELECT 1 FROM later", "SELECT 1 FROM later.log"]
)
def test_tables_that_are_behind_are_told_apart(settings, sql):
    with connect(settings) as client, pytest.raises(DatabaseError) as raised:
        client.query(sql)
    assert is_behind(raised.value)
    with pytest.raises(PastUnavailableError):
        Past(lambda: connect(settings))._query(sql, {})
