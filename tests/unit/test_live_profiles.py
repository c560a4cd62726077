"""The live read model: what it holds, finds, counts and tells."""

import pytest
from msgspec.structs import replace

from models.customer import Episode
from models.naming import derive
from models.profile import Profile, Trait
from projections.live import Live, Record
from tests.support.customers import ANA, DAY_MS, NOW_MS, customer, record, rich

USER = "user_id:u-1"
BROWSER = "anonymous_id:a-1"


@pytest.fixture
def live():
    made = Live(lambda: NOW_MS + 5_000, epoch="test")
    made.mark_ready()
    return made


def test_a_customer_is_found_by_id_and_by_any_spelling_of_an_identifier(live):
    ana = rich()
    live.apply([record(ana)])
    assert live.get(ana.customer_id) == ana
    assert live.get("email:ANA@example.com") == ana
    assert live.get("email:bob@example.com") is None


def test_an_identifier_that_was_never_linked_is_found_by_who_carries_it(live):
    live.apply([record(rich(USER))])
    assert live.get("phone:010-1234-5678").customer_id == derive(USER)


@pytest.mark.parametrize(
    "key", ["", "c_", "ana", "shoe:12", "email:", "email:null", "email:" + "x" * 999]
)
def test_what_names_nobody_finds_nobody(live, key):
    live.apply([record(rich())])
    assert live.get(key) is None


def test_a_merged_customer_answers_as_the_one_it_was_merged_into(live):
    user = customer(USER, absorbed=[derive(ANA), derive(BROWSER)])
    ana = customer(ANA, merged_into=user.customer_id, profile=Profile())
    browser = customer(BROWSER, merged_into=ana.customer_id, profile=Profile())
    live.apply([record(user), record(ana), record(browser)])
    assert live.get(BROWSER) == live.get(ANA) == user
    assert (live.board.customers, live.board.merged) == (1, 2)


def test_pointers_in_a_loop_end(live):
    one = customer(ANA, merged_into=derive(BROWSER))
    two = customer(BROWSER, merged_into=derive(ANA))
    live.apply([record(one), record(two)])
    assert live.get(ANA) in (one, two)


def test_an_older_record_that_comes_late_changes_nothing(live):
    newer = rich(offset=9)
    live.apply([record(newer), record(customer(offset=8))])
    assert live.get(ANA) == newer


def test_an_erased_customer_is_gone_from_lookups_search_and_counts(live):
    ana = rich()
    live.apply([record(ana)])
    live.apply([Record(ana.customer_id.encode(), None, 0)])
    assert live.get(ANA) is None
    assert live.search("ana", 5) == []
    assert (live.board.customers, live.board.events, live.board.open_alerts) == (0, 0, 0)
    assert live.get("phone:01012345678") is None


def test_a_record_that_cannot_be_read_leaves_the_one_before_and_is_counted(live):
    ana = rich()
    live.apply([record(ana), Record(ana.customer_id.encode(), b'{"customer_id": 7}', 0)])
    assert live.get(ANA) == ana
    assert live.unreadable == 1


def test_the_board_equals_a_count_over_all_customers_after_changes(live):
    live.apply([record(rich(f"user_id:u{n}", probability=n / 10)) for n in range(10)])
    calm = rich("user_id:u9", probability=0.05, offset=8)
    closed = Episode(number=1, status="closed", opened_ms=1, closed_ms=2, outcome="saved")
    live.apply([record(replace(calm, episodes={"churn_risk": closed}))])
    board = live.board
    assert (board.customers, board.events, board.scored) == (10, 120, 10)
    assert (board.bands["low"], board.bands["medium"], board.bands["high"]) == (6, 2, 2)
    assert (board.histogram[0], board.histogram[1], board.histogram[18]) == (1, 1, 0)
    assert board.open_alerts == 9


def test_open_alerts_come_newest_first(live):
    for n, day in enumerate((3, 1, 2)):
        alert = Episode(number=1, status="open", opened_ms=NOW_MS - day * DAY_MS)
        live.apply([record(rich(f"user_id:u{n}", episodes={"churn_risk": alert}))])
    newest = [alert.customer_id for alert in live.board.newest_alerts(2)]
    assert newest == [derive("user_id:u1"), derive("user_id:u2")]


@pytest.mark.parametrize(
    "text",
    ["Ana", "lopez", "ana l", "ana@ex", "010-1234", "01012345678", "5678", "12345678", ANA],
)
def test_search_finds_by_how_a_name_a_mail_or_a_phone_begins(live, text):
    live.apply([record(rich()), record(rich("email:bob@b.com", "Bob", profile=Profile()))])
    assert live.search(text, 5)[0] == derive(ANA)


@pytest.mark.parametrize("text", ["김민지", "김", "ㄱㅁㅈ", "ㄱㅁ"])
def test_search_finds_korean_names_by_syllables_and_by_first_consonants(live, text):
    live.apply([record(rich(name="김민지")), record(rich(USER, name="이서준"))])
    assert live.search(text, 5) == [derive(ANA)]


def test_search_forgets_a_name_that_was_changed(live):
    ana = rich()
    live.apply([record(ana)])
    renamed = {**ana.profile.traits, "name": Trait("Eva", NOW_MS, "e9")}
    live.apply([record(replace(ana, profile=replace(ana.profile, traits=renamed)))])
    assert live.search("Ana Lo", 5) == []
    assert live.search("Eva", 5) == [derive(ANA)]


def test_search_finds_among_more_names_than_are_kept_unsorted(live):
    names = [
        record(rich(f"user_id:u{n}", name=f"Name{n:05}", profile=_named(n))) for n in range(9_000)
    ]
    live.apply(names)
    assert live.search("name08765", 5) == [derive("user_id:u8765")]
    assert len(live.search("name", 50)) == 50


def _named(n):
    return Profile(traits={"name": Trait(f"Name{n:05}", NOW_MS, "e")}, events=1)


def test_freshness_and_rate_count_new_events_only(live):
    live.apply([record(customer())])
    merged = customer(
        offset=8, absorbed=["c_x"], received_ms=NOW_MS + 1, profile=Profile(events=500)
    )
    live.apply([record(merged)])
    later = NOW_MS + 6_000
    assert sum(live.meter.series(later, 60)) == 1
    p50, p99 = live.meter.freshness(later)
    assert p50 == p99 == pytest.approx(5_000, rel=0.03)


def test_history_is_not_counted_as_live_traffic():
    live = Live(lambda: NOW_MS, epoch="test")
    live.apply([record(customer())])
    assert live.meter.freshness(NOW_MS) is None
