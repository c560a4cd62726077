"""The live read model: what it holds, finds, counts and tells."""

import gc

import pytest
from msgspec.structs import replace

from models.customer import Episode, Regroup
from models.naming import derive
from models.profile import Profile, Trait
from projections.live import Live, Record
from projections.live_carriers import Carriers
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


# Ana's browser and she were one customer, with a telephone that only came along; then they
# are parted: the browser takes what is its own with it.
PHONE = "phone:+8215550100"


def _merged(offset=10, **over):
    """Return the user who absorbed the browser, and the browser as its pointer."""
    carried = {USER: NOW_MS - 2, BROWSER: NOW_MS - 9, PHONE: NOW_MS - 5}
    user = customer(
        USER,
        offset=offset,
        version=offset,
        absorbed=[derive(BROWSER)],
        profile=Profile(identifiers=carried, events=9, traits=_named(7).traits),
    )
    pointer = customer(
        BROWSER, offset=offset, merged_into=user.customer_id, profile=Profile(), **over
    )
    return user, pointer


def _parted(user, pointer, part=True):
    """Return both as an unmerge leaves them: with their own part of the log, or before it came."""
    known = {"generation": 5, "absorbed": [], "merged_into": None}
    waiting = None if part else Regroup(30, 0)
    own = Profile(identifiers={USER: NOW_MS - 2}, events=4) if part else Profile()
    other = Profile(identifiers={BROWSER: NOW_MS - 9, PHONE: NOW_MS - 5}, events=5)
    return (
        replace(user, offset=20, version=20, regroup=waiting, profile=own, **known),
        replace(
            pointer,
            offset=20,
            version=20,
            regroup=waiting,
            profile=other if part else Profile(),
            **known,
        ),
    )


@pytest.mark.parametrize("pointer_first", [True, False])
def test_who_is_parted_takes_its_identifiers_along(live, pointer_first):
    user, pointer = _merged()
    live.apply([record(user), record(pointer)])
    assert {live.locate(key) for key in (USER, BROWSER, PHONE)} == {user.customer_id}
    parted = [record(one) for one in _parted(user, pointer)]
    live.apply(parted[::-1] if pointer_first else parted)
    assert live.locate(USER) == user.customer_id
    assert live.locate(BROWSER) == live.locate(PHONE) == pointer.customer_id
    assert live.search("+8215550100", 5) == [pointer.customer_id]
    assert live.search("Name00007", 5) == []
    assert (live.board.customers, live.board.merged, live.board.events) == (2, 0, 9)


def test_a_customer_who_is_put_together_anew_is_told_so_and_counted(live):
    user, pointer = _merged()
    live.apply([record(user), record(pointer)])
    live.apply([record(one) for one in _parted(user, pointer, part=False)])
    assert live.board.incomplete == 2
    assert live.locate(BROWSER) == pointer.customer_id
    assert live.locate(PHONE) is None
    live.apply([record(one) for one in _parted(user, pointer)])
    assert (live.board.incomplete, live.locate(PHONE)) == (0, pointer.customer_id)


def test_an_identifier_leads_to_one_customer_while_its_owner_is_being_merged(live):
    browser = customer(BROWSER, profile=Profile(identifiers={BROWSER: NOW_MS, PHONE: NOW_MS}))
    live.apply([record(customer(USER)), record(browser)])
    assert live.locate(PHONE) == browser.customer_id
    live.apply([record(replace(browser, offset=8, merged_into=derive(USER), profile=Profile()))])
    assert live.locate(PHONE) == derive(USER)
    live.apply([record(_merged()[0])])
    assert live.locate(PHONE) == derive(USER)


def test_of_several_who_carry_an_identifier_the_one_who_had_it_first_is_found(live):
    shared = [
        customer(key, profile=Profile(identifiers={key: NOW_MS, PHONE: at}))
        for key, at in ((ANA, NOW_MS - 3), (USER, NOW_MS - 8), (BROWSER, NOW_MS - 5))
    ]
    for _ in range(2):
        live.apply([record(one) for one in shared])
        assert live.locate(PHONE) == derive(USER)
        shared.reverse()
    first = next(one for one in shared if one.customer_id == derive(USER))
    without = replace(first, offset=9, profile=Profile(identifiers={USER: NOW_MS}))
    live.apply([record(without)])
    assert live.locate(PHONE) == derive(BROWSER)
    live.apply([Record(derive(BROWSER).encode(), None, 0)])
    assert live.locate(PHONE) == derive(ANA)


def test_who_comes_back_from_a_merge_has_only_what_is_its_own(live):
    had = Profile(identifiers={BROWSER: NOW_MS - 9, PHONE: NOW_MS - 9})
    live.apply([record(customer(BROWSER, profile=had))])
    live.apply([record(customer(BROWSER, offset=8, merged_into=derive(USER), profile=Profile()))])
    live.apply([record(customer(BROWSER, offset=9))])
    assert live.locate(PHONE) is None
    live.apply([record(customer(ANA, profile=Profile(identifiers={ANA: NOW_MS, PHONE: NOW_MS})))])
    assert live.locate(PHONE) == derive(ANA)


def test_what_is_read_from_the_log_again_is_no_new_traffic(live):
    user, pointer = _merged()
    live.apply([record(user), record(pointer)])
    later = NOW_MS + 6_000
    before = sum(live.meter.series(later, 60))
    for part in (False, True):
        parted = (
            replace(one, received_ms=NOW_MS + 1 + part, offset=20 + part)
            for one in _parted(user, pointer, part)
        )
        live.apply([record(one) for one in parted])
    assert sum(live.meter.series(later, 60)) == before


def test_both_sides_of_an_unmerge_are_told(live):
    user, pointer = _merged()
    live.apply([record(user), record(pointer)])
    with live.changes.subscribe({user.customer_id, pointer.customer_id}) as heard:
        live.apply([record(one) for one in _parted(user, pointer)])
        told = {change.customer_id: change.version for change in heard._waiting.values()}
    assert told == {user.customer_id: 20, pointer.customer_id: 20}


def test_what_nobody_carries_takes_no_memory():
    carriers = Carriers()
    for one in ("c_a", "c_b", "c_a"):
        carriers.add([PHONE], one)
    assert carriers.of(PHONE) == ("c_a", "c_b")
    carriers.drop([PHONE, "phone:1"], "c_a")
    assert carriers.of(PHONE) == ("c_b",)
    carriers.drop([PHONE], "c_b")
    assert carriers._of == {}


def test_what_is_held_of_a_customer_is_nothing_that_python_looks_through_for_cycles(live):
    ana = customer(ANA, absorbed=[derive(BROWSER)], profile=rich().profile)
    live.apply([record(ana)])
    gc.collect()  # it takes tuples and dicts of plain values out
    held = live.held(ana.customer_id)
    glance, outline = held.glance, held.glance.profile
    assert glance.absorbed
    assert outline.identifiers
    parts = (held, glance, outline, glance.absorbed, outline.identifiers, outline.traits)
    assert [one for one in parts if gc.is_tracked(one)] == []
