"""A customer in the terminal: live, and as of a time, which it says plainly."""

from datetime import UTC, datetime, timedelta
from io import StringIO

from rich.console import Console

from infra.cli.profile_view import view
from infra.cli.times import ago
from models.naming import derive
from models.online.affinity import AffinityModel
from models.profile import Profile, Trait
from projections.live_learnt import Known
from projections.serve.trait_views import whole
from tests.support.customers import ANA, DAY_MS, NOW_MS, customer, rich

NOW = datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)


def shown(customer):
    console = Console(width=120, file=StringIO())
    console.print(view(customer))
    return console.file.getvalue()


def as_of(**said):
    told = {
        "at": "2026-09-20T12:00:00.000Z",
        "known_at": None,
        "identity_at": "2026-11-22T00:00:00.000Z",
        "events": 12,
        "members": [derive(ANA)],
        "complete": True,
        "complete_until": {"events/0": 5},
    }
    body = whole(rich(), Known(NOW_MS))
    del body["version"]
    return body | {"as_of": told | said}


def test_a_live_customer_says_its_version_and_no_time():
    text = shown(whole(rich(), Known(NOW_MS)))
    assert "version 12" in text
    assert "as of" not in text


def test_as_of_a_time_it_says_when_and_by_whose_knowledge():
    text = shown(as_of())
    assert "as of 2026-09-20 12:00:00 UTC" in text
    assert "touchpoints 12, customer ids 1, joined as today" in text
    assert "offer then" in text
    assert "on their way" not in text
    both = shown(as_of(known_at="2026-09-21T00:00:00.000Z", identity_at="2026-09-21T00:00:00.000Z"))
    assert "by what was known on 2026-09-21 00:00:00 UTC" in both
    assert "joined as on 2026-09-21 00:00:00 UTC" in both
    assert "all that had happened, by what" in shown(as_of(at=None, known_at="2026-09-21T00:00Z"))


def test_what_is_not_there_yet_is_said():
    assert "still on their way to ClickHouse" in shown(as_of(complete=False))


def test_how_long_ago_something_was_is_told_as_of_then():
    assert "13 d ago" in shown(as_of(at="2026-10-03T00:00:00.000Z"))  # the last contact
    assert ago((NOW - timedelta(hours=5)).isoformat(), NOW) == "5 h ago"
    assert ago((NOW + timedelta(days=5)).isoformat(), NOW) == "in 5 d"
    assert ago(None, NOW) == "–"


def test_what_is_expected_of_a_customer_is_told():
    profile = Profile(
        orders=3,
        revenue={"USD": 15_000},
        orders_by_currency={"USD": 3},
        order_days=[NOW_MS // DAY_MS - days for days in (200, 190, 180)],
        interest_weeks={NOW_MS // DAY_MS // 7: {"video": 2}},
        sentiment=Trait(-0.7, NOW_MS, "e7", "desk"),
        sentiment_weeks={NOW_MS // DAY_MS // 7: {"count": 1, "sum": -700}},
    )
    model = AffinityModel()
    text = shown(whole(customer(profile=profile), Known(NOW_MS, affinity=model)))
    for told in ("order in 30 d", "overdue", "within a year", "video", "-0.70"):
        assert told in text
    assert "goes with it" not in text
