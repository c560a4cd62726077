"""The mission's rows on offers, on the running system: what is offered, where, to whom, and why."""

import json
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from tests.acceptance.conftest import after, clean_environment, running, settings_of
from tests.support.waiting import until

pytestmark = pytest.mark.stack

WINDOW_SECONDS = 60
PREMIUM = "plan-premium"
CATALOGUE = f"""
[policy]
valid_days = {WINDOW_SECONDS / 86_400:.9f}
none_value = 1
floor = 0.3
holdout = 0.0
[[offers]]
id = "case"
name = {{ en = "A case for your phone", ko = "휴대폰 케이스" }}
channels = ["email", "web"]
value = 30
cost = 0.1
cap = 1000
coupon = "CASE"
eligible = {{ not_owned = ["case"] }}
[[offers]]
id = "upgrade"
name = {{ en = "The premium plan", ko = "프리미엄 요금제" }}
channels = ["email", "web", "sms"]
value = 30
cap = 1000
eligible = {{ consent = "marketing", not_owned = ["{PREMIUM}"] }}
"""


class Shop:
    """The running system as the shop, the call centre and the analyst meet it."""

    def __init__(self, settings, ingest, api, tables):
        self.settings, self.ingest, self.api, self.tables = settings, ingest, api, tables
        self._sent = 0

    def send(self, who, type, also=(), **fields):
        self._sent += 1
        names = [{"type": "email", "value": f"{who}@example.com"}, *also]
        event = {"type": type, "event_id": f"{who}-{self._sent}", "identifiers": names} | fields
        answer = self.ingest.post("/v1/events", json=[event])
        [verdict] = answer.json()["verdicts"]
        assert verdict["status"] == "accepted", verdict
        return verdict["receipt"]

    def order(self, who, sku, margin, **fields):
        money = {"currency": "USD", "amount": "60.00"}
        return self.send(
            who, "order_placed", schema_version=2, channel="web", order_id=f"{who}-{sku}",
            total=money, margin={"currency": "USD", "amount": margin},
            lines=[{"sku": sku, "quantity": 1, "price": money}], **fields,
        )  # fmt: skip

    def get(self, who, part="", receipt=""):
        answer = after(self.api, f"/v1/profiles/email:{who}@example.com{part}", receipt)
        if answer.status_code == 404:
            return {"identifiers": []}
        assert answer.status_code == 200, answer.text
        return answer.json()

    def arms(self, who):
        return {one["arm"]: one for one in self.get(who, "/offers")["arms"]}

    def c360(self, *arguments):
        return subprocess.run(
            [sys.executable, "-m", "infra.cli", *arguments],
            env=clean_environment() | self.settings.environ(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def rows(self, sql, **parameters):
        return list(self.tables.query(sql, parameters).result_rows)


@pytest.fixture(scope="module")
def shop(broker, warehouse, tmp_path_factory):
    home = tmp_path_factory.mktemp("offers")
    file = home / "offers.toml"
    file.write_text(CATALOGUE)
    settings = settings_of("offers", home, broker, warehouse, partitions=2, offers_file=file)
    with running(settings) as clients:
        yield Shop(settings, *clients)


def test_row_58_a_decision_is_over_offers_and_channels(shop):
    receipt = shop.send("target", "page_viewed", channel="web", path="/")
    offer = shop.get("target", "/offer", receipt)["offer"]
    assert shop.arms("target").keys() == {
        "case/email", "case/web", "upgrade/email", "upgrade/web", "upgrade/sms", "none",
    }  # fmt: skip
    [(arm, chosen, channel, chances)] = until(
        lambda: shop.rows(
            "SELECT arm, offer, channel, propensities FROM decisions"
            " WHERE decision_id = {id:String}",
            id=offer["decision_id"],
        ),
        60,
        "the decision in ClickHouse",
    )
    assert (chosen, channel or None) == (offer["offer"], offer["channel"])
    assert arm == (f"{chosen}/{channel}" if channel else "none")
    assert set(chances) == {"case/email", "case/web", "none"}  # nothing was consented to
    assert sum(chances.values()) == pytest.approx(1.0)
    assert chances[arm] == pytest.approx(offer["propensity"], abs=1e-6)


def test_row_10_61_what_is_owned_is_not_offered_but_what_goes_beyond_it(shop):
    shop.send("owner", "consent_changed", purpose="marketing", granted=True)
    shop.order("owner", "case", "9.00")
    receipt = shop.send("owner", "page_viewed", channel="web", path="/plans")
    shop.get("owner", "/offer", receipt)
    arms = shop.arms("owner")
    refused = {name: one["refusal"] for name, one in arms.items() if not one["eligible"]}
    assert refused == {
        "case/email": "owned", "case/web": "owned", "upgrade/sms": "unreachable",
    }  # fmt: skip
    assert arms["case/web"]["text"] == {
        "en": "the customer has it already", "ko": "이미 가지고 있음",
    }  # fmt: skip
    assert arms["upgrade/web"]["worth"] > 0
    receipt = shop.order("owner", PREMIUM, "30.00")
    shop.get("owner", "/offer", receipt)
    assert {one["refusal"] for name, one in shop.arms("owner").items() if name != "none"} == {
        "owned"
    }
    told = shop.c360("profile", "email:owner@example.com", "--offers")
    assert told.returncode == 0, told.stderr
    assert "the customer has it already" in told.stdout


def test_row_32_one_decision_in_every_channel_until_it_is_answered(shop):
    many = [f"same{number}" for number in range(12)]  # none is drawn for some, by chance
    for one in many:
        card = {"type": "loyalty_card", "value": f"card-{one}"}
        shop.send(one, "customer_identified", also=[card])
    for one in many:
        until(lambda who=one: len(shop.get(who)["identifiers"]) == 2, 60, "two names, one customer")
    same, offer = until(lambda: drawn(shop, many), 4 * WINDOW_SECONDS, "an offer, not none")
    receipt = shop.send(same, "call_received", channel="phone", topic="billing")
    by_phone = shop.get(same, receipt=receipt)
    assert by_phone["offer"] == offer
    by_card = shop.api.get(f"/v1/profiles/loyalty_card:card-{same}/offer").json()
    batch = shop.api.post("/v1/profiles:batchGet", json={"keys": [f"email:{same}@example.com"]})
    [in_batch] = batch.json()["profiles"].values()
    in_terminal = json.loads(shop.c360("profile", f"loyalty_card:card-{same}", "--json").stdout)
    for seen in (by_card, in_batch, in_terminal):
        assert seen["offer"] == offer
    receipt = shop.send(
        same, "offer_declined", channel="app", offer=offer["offer"],
        decision_id=offer["decision_id"],
    )  # fmt: skip
    assert shop.get(same, "/offer", receipt)["offer"] is None
    assert shop.api.get(f"/v1/profiles/loyalty_card:card-{same}/offer").json()["offer"] is None


def drawn(shop, many):
    """Return who has an offer that stands, and it; when none was drawn, let all come again."""
    for who in many:
        offer = shop.get(who, "/offer")["offer"]
        if offer and offer["channel"] and not expires_soon(offer):
            return who, offer
    time.sleep(1)
    for who in many:
        shop.get(who, "/offer", shop.send(who, "page_viewed", channel="web", path="/"))
    return None


def expires_soon(offer):
    left = datetime.fromisoformat(offer["expires_at"]) - datetime.now(UTC)
    return left.total_seconds() < WINDOW_SECONDS * 2 / 3


def test_row_43_the_reward_is_the_margin_of_what_was_bought(shop):
    decided = {}
    for who in ("buyer", "looker"):
        receipt = shop.send(who, "page_viewed", channel="web", path="/")
        decided[who] = shop.get(who, "/offer", receipt)["offer"]["decision_id"]
    shop.order("buyer", "case", "21.50", coupon="CASE")
    outcomes = {
        who: until(lambda id=id: outcome(shop, id), 4 * WINDOW_SECONDS + 60, f"{who}'s outcome")
        for who, id in decided.items()
    }
    arm, reward, margin, cost, claimed = outcomes["buyer"]
    assert (reward, margin) == (1.0, 21.5)
    assert claimed == arm.startswith("case/")
    assert cost == (0.1 if arm.startswith("case/") else 0.0)
    assert outcomes["looker"][1:3] == (0.0, 0.0)


def outcome(shop, decision_id):
    found = shop.rows(
        "SELECT arm, reward, margin, cost, claimed FROM outcomes WHERE decision_id = {id:String}",
        id=decision_id,
    )
    return found[0] if found else None


def test_row_52_who_is_like_those_who_bought_is_believed_to_buy(shop):
    before = shop.get("target", "/offers")["model_version"]
    regulars, visitors = ([f"{kind}{n}" for n in range(25)] for kind in ("regular", "visitor"))
    for who in regulars:
        for n in range(3):
            shop.order(who, f"sku-{n}", "5.00")
    for who in visitors:
        shop.send(who, "page_viewed", channel="web", path="/")
    for who in regulars:
        shop.order(who, "sku-9", "5.00")  # within the window of what was decided before
    learnt = before + len(regulars) + len(visitors)
    until(
        lambda: shop.get("target", "/offers")["model_version"] >= learnt,
        4 * WINDOW_SECONDS + 60,
        "their outcomes are learnt",
    )
    for n in range(3):
        receipt = shop.order("like-regulars", f"sku-{n}", "5.00")
    shop.get("like-regulars", "/offer", receipt)
    receipt = shop.send("like-visitors", "page_viewed", channel="web", path="/")
    shop.get("like-visitors", "/offer", receipt)
    likely, unlikely = shop.arms("like-regulars"), shop.arms("like-visitors")
    for arm in ("case/web", "case/email"):
        assert likely[arm]["conversion"] > unlikely[arm]["conversion"] + 0.1
