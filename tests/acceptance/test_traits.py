"""The rows of the mission about value, rhythm, interests and opinion, on a running system."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.waiting import until

pytestmark = pytest.mark.stack

NOW = datetime.now(UTC)


def touchpoint(type: str, user: str, id: str, days_ago: float = 0, /, **fields: object) -> dict:
    """Return a native event of a user."""
    return {
        "type": type,
        "event_id": id,
        "occurred_at": (NOW - timedelta(days=days_ago)).isoformat(),
        "identifiers": [{"type": "user_id", "value": user}],
        "channel": "app",
        **fields,
    }


def order(user: str, id: str, days_ago: float, *skus: str, amount: str = "40.00") -> dict:
    return touchpoint(
        "order_placed",
        user,
        id,
        days_ago,
        schema_version=2,
        order_id=id,
        total={"amount": amount, "currency": "USD"},
        lines=[{"sku": sku} for sku in skus],
    )


def test_row_1_computed_traits_are_on_the_profile_with_their_source(system):
    system.accept(
        order("t1", "t1-a", 20, "tv"),
        touchpoint("app_used", "t1", "t1-b", 1),
        touchpoint("search_performed", "t1", "t1-c", 0.5, query="hdmi", category="cables"),
    )
    known = system.becomes("user_id:t1", lambda known: known["computed"]["events"] == 3)
    assert known["preferred_channel"] == "app"
    assert known["value"]["rfm"]["recency_days"] in (19, 20, 21)
    assert known["value"]["source"] == "mbg-nbd, gamma-gamma"
    assert known["interests_now"][0]["category"] == "cables"
    text = system.c360("profile", "user_id:t1").stdout
    assert "cables" in text
    assert "order in 30 d" in text


def test_rows_11_and_63_interests_decay_with_time(system):
    old = [
        touchpoint("content_viewed", "t11", f"t11-{n}", 95, content_id="p", category="tents")
        for n in range(4)
    ]
    new = [
        touchpoint("content_viewed", "t11", f"t11-new{n}", 1, content_id="p", category="skis")
        for n in range(2)
    ]
    system.accept(*new, *old)  # the newest first: what decays does not depend on the order
    known = system.becomes("user_id:t11", lambda known: known["computed"]["events"] == 6)
    assert known["interests"] == {"tents": 4, "skis": 2}
    shown = {one["category"]: one["weight"] for one in known["interests_now"]}
    assert list(shown) == ["skis", "tents"]
    assert 0.3 < shown["tents"] < 0.7
    rows = until(
        lambda: system.rows(
            "SELECT interests_now FROM customers WHERE customer_id = {id:String} AND events = 6",
            id=known["customer_id"],
        ),
        40,
        "the interests in ClickHouse",
    )
    assert rows[0][0]["skis"] == pytest.approx(2, abs=0.3)


@pytest.mark.parametrize(
    ("user", "text"),
    [
        ("t18-ko", "상담원이 너무 불친절하고 일주일째 연락도 없어요. 실망했습니다."),
        ("t18-en", "The agent was rude, and still no answer after a week. Terrible service."),
    ],
)
def test_row_18_opinion_is_a_trait_in_korean_and_english(system, user, text):
    complaint = {"kind": "complaint", "ticket_id": user, "text": text}
    system.accept(touchpoint("ticket_opened", user, f"{user}-1", 1, **complaint))
    told = system.becomes(f"user_id:{user}", lambda known: known["sentiment"])["sentiment"]
    assert told["mean"] < -0.2
    assert (told["event_id"], told["told_by"], told["source"]) == (f"{user}-1", "shop", "lexicon-3")
    praise = "정말 친절하게 해결해 주셔서 감사합니다!" if user == "t18-ko" else "Great, thank you!"
    system.accept(
        touchpoint("feedback_given", user, f"{user}-2", kind="csat", score=5, text=praise)
    )
    known = system.becomes(f"user_id:{user}", lambda known: known["sentiment"]["texts"] == 2)
    assert known["sentiment"]["newest"] > 0.2 > known["sentiment"]["mean"]


def test_rows_20_and_30_say_how_often_he_buys_when_next_and_how_likely(system):
    system.accept(*(order("t20", f"t20-{n}", 7 * n + 1, "coffee") for n in range(12)))
    system.accept(order("t20-once", "t20-once", 80, "coffee"))
    often = system.becomes("user_id:t20", lambda known: known["computed"]["orders"] == 12)
    once = system.becomes("user_id:t20-once", lambda known: known["computed"]["orders"] == 1)
    assert 7 < often["value"]["next_purchase"]["gap_days"] < 14
    assert once["value"]["next_purchase"]["gap_days"] > 40
    assert often["value"]["next_purchase"]["overdue"] is False
    assert often["value"]["purchase"]["probability"] > 0.7
    assert once["value"]["purchase"]["probability"] < 0.4
    due = datetime.fromisoformat(often["value"]["next_purchase"]["expected_at"])
    assert NOW < due < NOW + timedelta(days=14)


def test_rows_40_and_50_say_what_a_customer_is_worth_live_and_in_sql(system):
    system.accept(*(order("t40", f"t40-{n}", 10 * n + 2, "wine", amount="90.00") for n in range(6)))
    system.accept(order("t40-low", "t40-low", 300, "wine", amount="9.00"))
    best = system.becomes("user_id:t40", lambda known: known["computed"]["orders"] == 6)
    least = system.becomes("user_id:t40-low", lambda known: known["computed"]["orders"] == 1)
    worth = [float(one["value"]["clv"]["amounts"]["USD"]) for one in (best, least)]
    assert worth[0] > 20 * worth[1] > 0
    assert best["value"]["rfm"]["money"] == {"USD": "540.00"}
    ids = [best["customer_id"], least["customer_id"]]
    rows = until(
        lambda: (
            (
                found := system.rows(
                    "SELECT customer_id, clv, alive, revenue, clv_band FROM customer_value "
                    "WHERE customer_id IN {ids:Array(String)} ORDER BY clv DESC",
                    ids=ids,
                )
            )
            and len(found) == 2
            and found[0][3] == 540
            and found
        ),
        40,
        "their value in ClickHouse",
    )
    assert [row[0] for row in rows] == ids
    for row, known, amount in zip(rows, (best, least), worth, strict=True):
        assert row[1] == pytest.approx(amount, rel=0.02, abs=0.02)
        assert row[2] == pytest.approx(known["value"]["alive"], abs=0.01)
    assert rows[0][4] >= rows[1][4]


def test_row_10_what_would_go_with_what_he_has_is_learnt_from_baskets(system):
    system.accept(*(order(f"t10-{n}", f"t10-{n}", 1, "t-grill", "t-coal") for n in range(6)))
    system.accept(*(order(f"t10-x{n}", f"t10-x{n}", 1, "t-pen", "t-ink") for n in range(6)))
    system.accept(order("t10", "t10", 0, "t-grill"))
    known = system.becomes("user_id:t10", lambda known: known["goes_with"], 120)
    [coal] = known["goes_with"]
    assert (coal["product_id"], coal["bought_with"]) == ("t-coal", "t-grill")
    assert coal["lift"] > 1
