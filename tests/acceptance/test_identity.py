"""The mission's rows of identity, as people and programs meet them: API, command line, tables."""

import json
from datetime import UTC, datetime

import pytest

from tests.acceptance.conftest import ADMIN_KEY, API_KEY, WRITE_KEY
from tests.support.waiting import until

pytestmark = pytest.mark.stack

NOW = datetime.now(UTC)
NAMES = {
    "user_id": "f34-ana",
    "loyalty_card": "F34-7001",
    "email": "f34-ana@example.com",
    "phone": "+82 10 7001 3434",
    "device_id": "f34-phone",
    "anonymous_id": "f34-tablet",
}


def said(*kinds):
    return [{"type": kind, "value": NAMES[kind]} for kind in kinds]


def page(id, *kinds):
    return {
        "type": "page_viewed",
        "event_id": id,
        "occurred_at": NOW.isoformat(),
        "identifiers": said(*kinds),
        "path": f"/{id}",
    }


def order(id, kind, amount):
    event = page(id, kind) | {"type": "order_placed", "schema_version": 2, "order_id": id}
    del event["path"]
    return event | {"total": {"amount": amount, "currency": "USD"}}


def keys():
    return [f"{kind}:{value}" for kind, value in NAMES.items()]


def identity(system, key):
    return system.api.get(f"/v1/profiles/{key}/identity").json()


def ask(system, kind, key=ADMIN_KEY, **body):
    return system.ingest.post(f"/v1/identity/{kind}", json=body, auth=(key, ""))


def ended(system, asked):
    """Wait for the outcome of a command that was accepted; return it."""

    def over():
        told = system.api.get(asked["outcome"]).json()
        return told if told["status"] in ("done", "refused") else None

    return until(over, 60, "the outcome")


def buyers(system):
    """Return the orders by customer, as an analyst sees them."""
    return sorted(
        orders
        for (orders,) in system.rows(
            "SELECT uniqExact(order_id) FROM events "
            "WHERE order_id LIKE 'f34-%' GROUP BY customer_id"
        )
    )


def test_f3_six_kinds_of_identifiers_resolve_to_one_customer(system):
    apart = [page(f"f34-{number}", kind) for number, kind in enumerate(NAMES)]
    system.accept(*apart, order("f34-o1", "user_id", "10.00"), order("f34-o2", "email", "20.00"))
    for key in keys():
        system.becomes(key, lambda known: known["computed"]["events"] >= 1)
    assert len({system.profile(key)["customer_id"] for key in keys()}) == len(NAMES)
    together = page("f34-together", *NAMES) | {
        "type": "customer_identified",
        "traits": {"name": "Ana"},
    }
    del together["path"]
    system.accept(together)
    known = system.becomes(keys()[0], lambda known: known["computed"]["events"] == len(NAMES) + 3)
    for key in keys():
        system.becomes(key, lambda one: one["customer_id"] == known["customer_id"])
    told = until(lambda: (one := identity(system, keys()[5]))["complete"] and one, 60, "complete")
    assert {member["identifier"]["type"] for member in told["members"]} == set(NAMES)
    until(lambda: buyers(system) == [2], 60, "one buyer in the tables")

    def shown():  # of the tables too, which follow one by one
        told = json.loads(system.c360("identity", "show", keys()[2], "--json").stdout)
        return (
            {one["state"] for one in told["links"]},
            [one["kind"] for one in told["history"]],
        )

    whole = {"holds"}, ["merged"] * (len(NAMES) - 1)
    until(lambda: shown() == whole, 60, "the links and the history in the tables")


def test_f3_a_second_login_in_a_browser_and_a_blocked_value_join_nobody(system):
    other = page("f34-other", "anonymous_id")
    other["identifiers"].append({"type": "user_id", "value": "f34-bob"})
    other["identifiers"].append({"type": "email", "value": "null"})
    system.accept(other)
    bob = system.becomes("user_id:f34-bob", lambda known: known["computed"]["events"] == 1)
    assert bob["merged_from"] == []
    assert system.profile(keys()[5])["customer_id"] == system.profile(keys()[0])["customer_id"]
    assert system.api.get("/v1/profiles/email:null").status_code == 404

    def refused():
        told = json.loads(system.c360("identity", "refused", "--json").stdout)
        return [one["links"] for one in told["reasons"] if one["reason"] == "two_users"]

    assert until(refused, 60, "the refusal")[0] >= 1


def test_f4_an_unmerge_gives_each_its_own_history_back(system):
    user, email = keys()[0], keys()[2]
    why = {"by": "Kim", "reason": "the e-mail is her sister's"}
    for key in (WRITE_KEY, API_KEY):
        assert ask(system, "unmerge", key, identifier=email, **why).status_code == 403
    assert len(identity(system, user)["members"]) == len(NAMES)

    asked = ask(system, "unmerge", identifier=email, **why)
    assert asked.status_code == 202, asked.text
    assert ended(system, asked.json())["status"] == "done"
    sister = system.becomes(email, lambda known: known["complete"] and not known["merged_from"])
    ana = system.becomes(user, lambda known: known["complete"] and known["computed"]["events"] == 7)
    assert sister["customer_id"] != ana["customer_id"]
    assert (sister["computed"]["events"], sister["computed"]["revenue"]) == (2, {"USD": "20.00"})
    assert (ana["computed"]["events"], ana["computed"]["revenue"]) == (7, {"USD": "10.00"})
    assert sister["customer_id"] not in ana["merged_from"]
    for key in set(keys()) - {email}:
        system.becomes(key, lambda one: one["customer_id"] == ana["customer_id"])
    until(lambda: buyers(system) == [1, 1], 60, "two buyers in the tables")
    history = (
        "SELECT by, reason FROM identity_moves FINAL WHERE kind = 'regrouped' AND customer_id = "
        "{id:String}"
    )
    found = until(lambda: system.rows(history, id=sister["customer_id"]), 60, "the move")
    assert found == [("Kim", "the e-mail is her sister's")]

    # The same names seen together again join nobody: a person parted them.
    again = page("f34-again", "user_id", "email") | {"type": "customer_identified"}
    del again["path"]
    system.accept(again)
    system.becomes(user, lambda known: known["computed"]["events"] == 8)
    assert system.profile(email)["customer_id"] == sister["customer_id"]


def test_f4_a_merge_by_hand_joins_again_and_what_cannot_be_is_told(system):
    user, email = keys()[0], keys()[2]
    done = system.c360("identity", "merge", email, user, "--by", "Lee", "--reason", "it was hers")
    assert done.returncode == 0, done.stderr
    assert "one customer now" in done.stdout
    known = system.becomes(user, lambda known: known["computed"]["events"] == 10)
    assert known["computed"]["revenue"] == {"USD": "30.00"}
    system.becomes(email, lambda one: one["customer_id"] == known["customer_id"])
    until(lambda: buyers(system) == [2], 60, "one buyer in the tables")

    root = system.c360("identity", "unmerge", user, "--by", "Lee", "--reason", "x", "--yes")
    assert root.returncode == 1
    assert "stands for its whole group" in root.stderr
    told = ask(system, "unmerge", identifier="user_id:f34-nobody", by="Lee", reason="x").json()
    assert ended(system, told)["detail"].endswith("is merged with nobody")

    asking = system.c360("identity", "unmerge", email, "--reason", "x")  # nobody answers: no
    assert asking.returncode == 1
    assert "leaves" in asking.stdout
    assert system.profile(email)["customer_id"] == known["customer_id"]
