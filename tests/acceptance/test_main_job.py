"""The rows of the mission that the main job must show, on a running system.

Each test is named by its row and uses the system as its users do: over HTTP, by
webhook, in SQL.
"""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from standardwebhooks.webhooks import Webhook

from models import topics
from tests.support.kafka_log import read_all, send
from tests.support.waiting import until

pytestmark = pytest.mark.stack

NOW = datetime.now(UTC)


def touchpoint(type: str, user: str, id: str, at: datetime = NOW, /, **fields: object) -> dict:
    """Return a native event of a user."""
    return {
        "type": type,
        "event_id": id,
        "occurred_at": at.isoformat(),
        "identifiers": [{"type": "user_id", "value": user}],
        "channel": "web",
        **fields,
    }


def order(user: str, id: str, amount: str, at: datetime = NOW, **fields: object) -> dict:
    total = {"amount": amount, "currency": "USD"}
    return touchpoint(
        "order_placed", user, id, at, schema_version=2, order_id=id, total=total, **fields
    )


def page(user: str, id: str, at: datetime = NOW) -> dict:
    return touchpoint("page_viewed", user, id, at, schema_version=2, path=f"/{id}")


def test_f1_touchpoints_come_in_over_http_kafka_segment_and_cloudevents(system):
    system.accept(page("f1", "f1-native"))
    segment = {"userId": "f1", "event": "Order Completed", "messageId": "f1-segment"}
    properties = {"order_id": "f1-o", "total": 12.5, "currency": "USD"}
    answer = system.ingest.post("/v1/track", json=segment | {"properties": properties})
    assert answer.status_code == 200, answer.text
    cloud = {
        "specversion": "1.0",
        "id": "f1-cloud",
        "source": "/app",
        "type": "page_viewed",
        "time": NOW.isoformat(),
        "data": {
            "identifiers": [{"type": "user_id", "value": "f1"}],
            "schema_version": 2,
            "path": "/cloud",
        },
    }
    answer = system.ingest.post(
        "/v1/cloudevents",
        content=json.dumps(cloud),
        headers={"content-type": "application/cloudevents+json"},
    )
    assert answer.status_code == 200, answer.text
    brokers, topic = system.settings.brokers, system.settings.topic(topics.TOUCHPOINTS)
    send(brokers, topic, [(b"f1", json.dumps(page("f1", "f1-kafka")).encode())])
    known = system.becomes("user_id:f1", lambda known: known["computed"]["events"] == 4)
    assert known["computed"]["revenue"] == {"USD": "12.50"}
    assert {moment["event_id"] for moment in known["timeline"]} == {
        "f1-native",
        "f1-segment",
        "/app#f1-cloud",  # a CloudEvent is named by source and id
        "f1-kafka",
    }


def test_f2_a_bad_event_is_answered_kept_whole_and_sinks_no_batch(system):
    bad = order("f2", "f2-bad", "-1")
    answer = system.ingest.post("/v1/events", json=[page("f2", "f2-a"), bad, page("f2", "f2-b")])
    first, second, third = answer.json()["verdicts"]
    assert (first["status"], third["status"]) == ("accepted", "accepted")
    assert (second["status"], second["reason"]) == ("rejected", "bad_amount")
    known = system.profile("user_id:f2", third["receipt"])
    system.becomes("user_id:f2", lambda known: known["computed"]["events"] == 2)
    assert known["computed"]["orders"] == 0

    def letter():
        topic = system.settings.topic(topics.DEAD_LETTERS)
        letters = read_all(system.settings.brokers, topic)
        return next((one for one in letters if b"f2-bad" in (one.value or b"")), None)

    kept = until(letter, 60, "the dead letter")
    headers = dict(kept.headers)
    assert json.loads(kept.value) == bad
    assert headers["reason"] == b"bad_amount"
    log, place = second["receipt"].split("/")
    assert headers["source"].decode() == f"{log}/{place.replace(':', '/')}"


def test_f3_an_anonymous_visitor_who_identifies_is_one_customer(system):
    anonymous = {"identifiers": [{"type": "anonymous_id", "value": "f3-browser"}]}
    system.accept(page("", "f3-before") | anonymous)
    both = [*touchpoint("page_viewed", "f3", "")["identifiers"], *anonymous["identifiers"]]
    system.accept(
        touchpoint(
            "customer_identified",
            "f3",
            "f3-identify",
            schema_version=1,
            identifiers=both,
            traits={"name": "Ana"},
        )
    )
    system.becomes("user_id:f3", lambda known: known["computed"]["events"] == 2)
    system.accept(page("", "f3-after") | anonymous)  # known by the browser alone, and late
    system.becomes("user_id:f3", lambda known: known["computed"]["events"] == 3)
    known = system.profile("user_id:f3")
    by_browser = system.becomes(
        "anonymous_id:f3-browser", lambda one: one["customer_id"] == known["customer_id"]
    )
    assert by_browser["traits"]["name"]["value"] == "Ana"


def test_f5_duplicates_and_late_events_change_nothing_that_order_would_not(system):
    later = order("f5", "f5-2", "20.00", NOW - timedelta(hours=1))
    earlier = order("f5", "f5-1", "10.00", NOW - timedelta(hours=5))
    *_, receipt = system.accept(later, later, earlier, later, page("f5", "f5-3"))
    system.becomes("user_id:f5", lambda known: known["computed"]["events"] == 3)
    known = system.profile("user_id:f5", receipt)["computed"]
    assert known["orders"] == 2
    assert known["revenue"] == {"USD": "30.00"}
    assert known["first_order_at"] < known["last_order_at"]


def test_f8_a_profile_is_read_after_its_write_by_any_identifier_with_etag(system):
    [receipt] = system.accept(
        touchpoint(
            "customer_identified",
            "f8",
            "f8-1",
            schema_version=1,
            identifiers=[
                {"type": "user_id", "value": "f8"},
                {"type": "email", "value": "F8@Example.com"},
            ],
            traits={"city": "Seoul"},
        )
    )
    known = system.profile("user_id:f8", receipt)
    assert known["traits"]["city"]["value"] == "Seoul"
    by_mail = until(
        lambda: (a := system.api.get("/v1/profiles/email:f8@example.com")).status_code == 200 and a,
        60,
        "found by e-mail",
    )
    assert by_mail.json()["customer_id"] == known["customer_id"]

    def unchanged_by_the_other_name():
        """Read anew each time: the record still changes while the e-mail's link settles."""
        seen = system.api.get("/v1/profiles/email:f8@example.com").headers["etag"]
        known_tag = {"if-none-match": seen}
        return system.api.get("/v1/profiles/user_id:f8", headers=known_tag).status_code == 304

    until(unchanged_by_the_other_name, 60, "one ETag by either name")
    nobody = system.api.get("/v1/profiles/user_id:nobody-f8")
    assert (nobody.status_code, nobody.headers["content-type"]) == (404, "application/problem+json")
    stranger = system.api.get("/v1/profiles/user_id:f8", headers={"authorization": "Bearer no"})
    assert stranger.status_code == 401


def test_f9_f10_silence_raises_risk_and_its_alert_arrives_once_signed(system):
    start = NOW - timedelta(days=200)
    bought = [
        order("f9", f"f9-{week}", "40.00", start + timedelta(days=7 * week)) for week in range(16)
    ]
    system.accept(*bought)

    def at_risk(known: dict) -> bool:
        return known["scores"].get("churn", {}).get("band") == "high"

    known = system.becomes("user_id:f9", at_risk, 60)
    score = known["scores"]["churn"]
    assert score["probability"] > 0.7
    assert score["reasons"]

    def about_f9():
        found = []
        for headers, body in system.receiver.delivered():
            text = body.decode()
            if known["customer_id"] in text and "opened" in text:
                found.append((headers, body))
        return found

    [(headers, body)] = until(about_f9, 90, "the alert, after two failures")
    secret = system.settings.webhook_secret.get_secret_value()
    Webhook(secret).verify(body, headers)
    attempts = [
        one for one, *_ in system.receiver.requests if one["webhook-id"] == headers["webhook-id"]
    ]
    assert len(attempts) == 3
    outcome = until(
        lambda: system.rows(
            "SELECT status, attempt FROM deliveries FINAL WHERE alert_id = {id:String}"
            " ORDER BY attempt",
            id=headers["webhook-id"],
        )[2:],
        60,
        "three attempts in ClickHouse",
    )
    assert outcome == [("delivered", 3)]


def test_f10_an_offer_is_decided_with_its_propensities_logged(system):
    consent = {"purpose": "marketing", "granted": True}
    system.accept(
        touchpoint("consent_changed", "f10", "f10-consent", schema_version=1, **consent),
        order("f10", "f10-o", "30.00"),
    )
    offer = system.becomes("user_id:f10", lambda known: known["offer"])["offer"]
    question = (
        "SELECT offer, propensity, propensities FROM decisions FINAL"
        " WHERE decision_id = {id:String}"
    )
    [[chosen, propensity, all_of_them]] = until(
        lambda: system.rows(question, id=offer["decision_id"]), 60, "the decision in ClickHouse"
    )
    assert (chosen, propensity) == (offer["offer"], pytest.approx(offer["propensity"], abs=1e-6))
    assert all_of_them[chosen] == pytest.approx(propensity)
    assert sum(all_of_them.values()) == pytest.approx(1)


def test_f12_analysts_query_typed_tables_and_see_no_personal_data(system):
    system.accept(
        order(
            "f12",
            "f12-o",
            "99.90",
            lines=[{"sku": "s1", "quantity": 3, "price": {"amount": "33.30", "currency": "USD"}}],
        )
    )
    question = "SELECT amount, currency, units FROM touchpoints FINAL WHERE event_id = 'f12-o'"
    [row] = until(lambda: system.rows(question), 60, "the order in ClickHouse")
    assert row == (Decimal("99.90"), "USD", 3)
    analyst = clickhouse_connect.get_client(
        dsn=system.settings.clickhouse_url,
        username="analyst",
        password=system.settings.analyst_password.get_secret_value(),
        database=system.settings.clickhouse_database,
    )
    count = "SELECT count() FROM customers"
    until(lambda: analyst.query(count).first_row > (0,), 60, "the customers, for the analyst")
    with pytest.raises(DatabaseError):
        analyst.query("SELECT * FROM profiles LIMIT 1")
    with pytest.raises(DatabaseError):
        analyst.command("DROP TABLE touchpoints")


@pytest.mark.parametrize(
    ("row", "kind", "fields"),
    [
        ("51", "call_received", {"duration_seconds": 120, "wait_seconds": 30}),
        ("51", "call_made", {"duration_seconds": 60}),
        ("51", "visit_made", {"kind": "technician"}),
        ("51", "visit_made", {"kind": "salesperson"}),
        ("12", "message_opened", {"campaign": "spring"}),
        ("14", "ticket_opened", {"ticket_id": "t-1", "topic": "delivery"}),
        ("17", "feedback_given", {"kind": "nps", "score": 3}),
        ("62", "consent_changed", {"purpose": "marketing", "granted": True}),
    ],
)
def test_each_kind_of_contact_is_on_the_timeline(system, row, kind, fields):
    id = f"row-{row}-{kind}-{fields.get('kind', '')}"
    [receipt] = system.accept(touchpoint(kind, "contacts", id, schema_version=1, **fields))
    known = system.profile("user_id:contacts", receipt)
    assert id in {moment["event_id"] for moment in known["timeline"]}
    assert known["computed"]["events_by_type"][kind] >= 1
