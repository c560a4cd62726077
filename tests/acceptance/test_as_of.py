"""F6: the profile as of any time, on the running system."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.waiting import until

pytestmark = pytest.mark.stack

NOW = datetime.now(UTC)


def touchpoint(id: str, ago: timedelta, who: dict[str, str], **fields: object) -> dict:
    return {
        "type": "page_viewed",
        "schema_version": 2,
        "event_id": id,
        "occurred_at": (NOW - ago).isoformat(),
        "identifiers": [{"type": kind, "value": value} for kind, value in who.items()],
        "channel": "web",
        **({"path": f"/{id}"} if "type" not in fields else {}),
        **fields,
    }


def test_f6_a_profile_as_of_any_time_from_the_log(system):
    """Late, repeated and joined events; by when it happened, and by when it was known."""

    def as_of(key: str, **times: datetime) -> dict:
        said = {name: time.isoformat() for name, time in times.items()}
        answer = system.api.get(f"/v1/profiles/{key}", params=said)
        return answer.json() | {"status": answer.status_code}

    days = timedelta(days=1)
    browser, user = {"anonymous_id": "f6-browser"}, {"user_id": "f6"}
    total = {"amount": "20.00", "currency": "USD"}
    order = {"type": "order_placed", "order_id": "f6-o", "total": total}
    system.accept(touchpoint("f6-1", 9 * days, browser), touchpoint("f6-2", 5 * days, user))
    [receipt] = system.accept(touchpoint("f6-3", 3 * days, user, **order))
    system.profile("user_id:f6", receipt)
    apart = datetime.now(UTC)
    system.accept(touchpoint("f6-1", 9 * days, browser))  # a client that repeats itself
    [receipt] = system.accept(touchpoint("f6-late", 8 * days, user | browser))  # joins, and is late
    live = system.becomes("anonymous_id:f6-browser", lambda one: one["computed"]["events"] == 4)
    until(lambda: as_of("user_id:f6", at=datetime.now(UTC)).get("as_of", {}).get("complete"), 60)

    now = as_of("user_id:f6", at=datetime.now(UTC))
    for name in ("customer_id", "identifiers", "computed", "timeline", "merged_from", "traits"):
        assert now[name] == live[name], name
    assert len(now["as_of"]["members"]) == 2
    for ago, events, orders in ((10, 0, 0), (8.5, 1, 0), (7, 2, 0), (4, 3, 0), (2, 4, 1)):
        then = as_of("anonymous_id:f6-browser", at=NOW - ago * days)
        if not events:
            assert (then["status"], then["type"]) == (404, "urn:c360:not-yet")
            continue
        told = then["computed"]
        assert (told["events"], told["orders"]) == (events, orders), ago
        assert then["customer_id"] == live["customer_id"]

    before = as_of("user_id:f6", known_at=apart)
    assert (before["computed"]["events"], before["merged_from"]) == (2, [])
    alone = as_of("anonymous_id:f6-browser", known_at=apart)
    assert alone["customer_id"] != live["customer_id"]
    assert alone["computed"]["events"] == 1
    both = as_of("user_id:f6", at=NOW - 4 * days, known_at=apart)
    assert (both["computed"]["events"], both["computed"]["orders"]) == (1, 0)
