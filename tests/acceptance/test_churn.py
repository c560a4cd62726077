"""Rows 7/42, 56 and 2/34: why who may leave, who was lost or saved, who keeps a contract."""

import json
import math
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.waiting import until

pytestmark = pytest.mark.stack

NOW = datetime.now(UTC)


def said(user: str, kind: str, days_ago: float, **fields: object) -> dict:
    return {
        "type": kind,
        "schema_version": 1,
        "event_id": f"{user}-{kind}-{days_ago}",
        "occurred_at": (NOW - timedelta(days=days_ago)).isoformat(),
        "identifiers": [{"type": "user_id", "value": user}],
        "channel": "web",
        **fields,
    }


def regular(user: str, newest: float) -> list[dict]:
    """Return sixteen weekly visits, the newest so many days ago."""
    return [said(user, "app_used", newest + 7 * week) for week in reversed(range(16))]


def score_of(known: dict, model: str) -> dict:
    return known["scores"].get(model, {})


def test_7_42_a_reason_in_words_stands_beside_every_score_and_they_add_up(system):
    system.accept(*regular("row42", 104))
    known = system.becomes(
        "user_id:row42", lambda one: score_of(one, "churn").get("band") == "high", 120
    )
    score = known["scores"]["churn"]
    strongest = score["reasons"][0]
    assert strongest["effect"] == "raised"
    assert strongest["text"]["en"].startswith("silent for ")
    assert strongest["text"]["en"].endswith(", usually 7 days")
    assert strongest["text"]["ko"].startswith("조용한 지 ")
    logit = sum(one["contribution"] for one in (*score["reasons"], *score["rest"]))
    p = score["probability"]
    assert logit == pytest.approx(math.log(p / (1 - p)), abs=0.01)
    assert score["horizon"] == "silence-30/1"

    shown = system.c360("profile", "user_id:row42", "--reasons")
    assert shown.returncode == 0, shown.stderr
    assert "silent for" in shown.stdout
    assert "together, in log-odds" in shown.stdout
    question = (
        "SELECT horizon, `reasons.about`, `reasons.usual`, base FROM score_history"
        " WHERE score_id = {id:String}"
    )
    [row] = until(
        lambda: system.rows(question, id=score["score_id"]), 60, "the score in ClickHouse"
    )
    assert row[0] == "silence-30/1"
    assert row[1][0] == strongest["about"]
    assert row[2][0] == pytest.approx(strongest["usual"])


def edges(system, known: dict) -> list[tuple[str, str]]:
    return system.rows(
        "SELECT status, outcome FROM alert_history WHERE customer_id = {id:String} ORDER BY at",
        id=known["customer_id"],
    )


def test_56_an_alert_is_an_episode_that_opens_and_ends_saved_or_lost(system):
    system.accept(*regular("row56-lost", 120), *regular("row56-saved", 70))

    def episode(status: str):
        return lambda known: [one["status"] for one in known["episodes"]] == [status]

    lost = system.becomes("user_id:row56-lost", episode("closed"), 120)
    assert lost["episodes"][0]["outcome"] == "lost"
    system.becomes("user_id:row56-saved", episode("open"), 120)
    system.accept(*(said("row56-saved", "app_used", ago) for ago in (0.02, 0.01)))
    saved = system.becomes("user_id:row56-saved", episode("closed"), 60)
    assert saved["episodes"][0]["outcome"] == "saved"
    for known, outcome in ((lost, "lost"), (saved, "saved")):
        whole = [("opened", ""), ("closed", outcome)]
        until(lambda one=known, all=whole: edges(system, one) == all, 60, outcome)

    def told():
        bodies = [json.loads(body) for _, body in system.receiver.delivered()]
        mine = [one for one in bodies if one["data"]["customer_id"] == saved["customer_id"]]
        return {one["type"]: one["data"] for one in mine} if len(mine) == 2 else None

    webhooks = until(told, 120, "both webhooks, after two failures each")
    opened = webhooks["churn_risk.opened"]
    assert opened["reasons"][0]["text"]["ko"].startswith("조용한 지 ")
    assert webhooks["churn_risk.closed"]["outcome"] == "saved"


def test_2_34_who_keeps_a_contract_is_known_and_told_by_cohort(system):
    def signed(user: str, ends_ago: float) -> dict:
        ends = (NOW - timedelta(days=ends_ago)).isoformat()
        about = {"subscription_id": f"s-{user}", "plan": "basic", "period": "month"}
        return said(user, "subscription_started", 60, renews_at=ends, **about)

    renewed = said(
        "row34-kept", "subscription_renewed", 30, subscription_id="s-row34-kept",
        renews_at=(NOW + timedelta(days=5)).isoformat(),
    )  # fmt: skip
    left = said("row34-left", "subscription_cancelled", 20, subscription_id="s-row34-left")
    system.accept(
        signed("row34-kept", 30), renewed,
        signed("row34-left", 10), left,
        signed("row34-lapsed", 30), said("row34-lapsed", "app_used", 1),
    )  # fmt: skip
    kept = system.becomes("user_id:row34-kept", lambda one: score_of(one, "contract"), 60)
    assert kept["scores"].keys() == {"contract"}
    assert kept["scores"]["contract"]["horizon"] == "contract-30/1"
    for gone in ("row34-left", "row34-lapsed"):
        known = system.becomes(f"user_id:{gone}", lambda one: score_of(one, "churn"), 60)
        assert known["scores"].keys() == {"churn"}

    question = (
        "SELECT subscription_id, state, renewals FROM contracts"
        " WHERE startsWith(subscription_id, 's-row34') ORDER BY subscription_id"
    )
    told = [("s-row34-kept", "running", 1), ("s-row34-lapsed", "lapsed", 0)]
    told.append(("s-row34-left", "cancelled", 0))
    until(lambda: system.rows(question) == told, 60, "the contracts in ClickHouse")
    [[size, renewals]] = system.rows(
        "SELECT sum(size), sum(renewed) FROM renewal_by_cohort WHERE months_later = 0"
    )
    assert (size >= 3, renewals >= 1) == (True, True)
