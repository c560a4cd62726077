"""Verifying, piece by piece: the same text of a row in two languages, what was missed, counts."""

from datetime import timedelta

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError
from msgspec import UNSET

from infra.cli.verify import said_plainly
from infra.errors import UserError
from infra.verify import folding as module
from infra.verify.differing import differing, digest
from infra.verify.folding import Folding
from infra.verify.forest import Forest
from infra.verify.identity import Seen, compare_pointers
from infra.verify.report import NAMED, Check
from infra.verify.rows import Written, sql_of, text_of
from infra.verify.work import Job, run
from models.customer import Customer
from models.events import Identifier, encode_event
from models.identity import customer_id_of
from models.identity_rules import SHIPPED
from models.links import encode, state_merge, state_unmerge
from models.places import NAMES
from models.profile import Profile
from models.terms import Contract, Price, Term
from projections import dead_rows
from projections.tables import ROUTES, SOURCES, TABLES
from tests.support.histories import ANA, NOON, event


def log(count, id="c_a"):
    """A customer's first events, as their partition holds them."""
    for number in range(count):
        at = NOON + timedelta(minutes=number)
        one = event(at=at, id=f"e{number}")
        own = {"customer_id": id, "origin": "touchpoints/0", "origin_offset": number}
        yield number, encode_event(one.model_copy(update=own))


def test_every_table_says_whose_records_it_is_made_of():
    assert set(SOURCES) == set(TABLES) - {dead_rows.TABLE}
    assert set(SOURCES.values()) == set(ROUTES)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_can_be_written_in_both_languages(table):
    for kind in table.columns.values():
        assert callable(text_of(kind))
        assert sql_of(kind, "x")
    assert Written(table).key_sql


def test_a_customer_is_folded_as_far_as_he_says():
    folding = Folding(0, {"c_a": 1}, committed=0)
    for offset, value in log(4):
        folding.take(offset, value)
    assert folding.get("c_a").profile.events == 2
    assert [at for at, _ in folding.beyond["c_a"]] == [2, 3]
    assert not folding.missed


def test_an_event_that_was_committed_and_not_applied_is_missed():
    folding = Folding(0, {"c_a": 1}, committed=3)
    for offset, value in log(4):
        folding.take(offset, value)
    assert folding.missed == {"c_a": 2}


def test_a_repeated_event_that_changes_nothing_is_not_missed():
    folding = Folding(0, {"c_a": 1}, committed=9)
    for offset, value in [*log(2), *((2 + offset, value) for offset, value in log(2))]:
        folding.take(offset, value)
    assert not folding.missed


def test_customers_who_are_kept_as_bytes_are_folded_on(monkeypatch):
    monkeypatch.setattr(module, "WARM", 2)
    tight, roomy = Folding(0), Folding(0)
    for number in range(12):
        for offset, value in log(3, f"c_{number}"):
            tight.take(10 * number + offset, value)
    monkeypatch.setattr(module, "WARM", 100)
    for number in range(12):
        for offset, value in log(3, f"c_{number}"):
            roomy.take(10 * number + offset, value)
    assert tight.ids() == roomy.ids()
    assert all(tight.get(id) == roomy.get(id) for id in tight.ids())


def test_what_is_no_event_is_counted_and_changes_nobody():
    folding = Folding(0)
    folding.take(0, None)
    folding.take(1, b"{}")
    assert (folding.unreadable, folding.ids()) == (2, set())


def test_features_by_place_are_written_as_the_same_by_name():
    said = dict(zip(NAMES, map(float, range(len(NAMES))), strict=True)) | {NAMES[1]: 0.0}
    by_place = tuple(said.values())
    text = text_of("Map(LowCardinality(String), Float64)")
    assert text(by_place) == text(said)
    assert text((UNSET, *by_place[1:])) == text({n: v for n, v in said.items() if n != NAMES[0]})
    assert text(by_place) != text(said | {NAMES[0]: 2.0})


def test_what_a_customer_says_by_week_is_compared_in_any_order():
    weeks = {2_900: {"shoes": 3, "bags": 1}, 2_901: {"shoes": 1}}
    ours, theirs = (
        Customer(customer_id="c_a", profile=Profile(interest_weeks=some))
        for some in (weeks, dict(reversed(weeks.items())))
    )
    assert digest(ours) == digest(theirs)
    other = Customer(customer_id="c_a", profile=Profile(interest_weeks={2_900: weeks[2_901]}))
    assert digest(ours) != digest(other)
    assert differing(ours, other) == ["profile.interest_weeks: 2 by the log, 1 live"]


def test_fields_that_differ_are_named_with_counts_and_without_what_they_say():
    ours = Customer(customer_id="c_a", absorbed=["c_b"], clock_ms=5)
    theirs = Customer(customer_id="c_a", merged_into="c_z")
    assert differing(ours, theirs) == [
        "clock_ms: 5 by the log, 0 live",
        "merged_into",
        "absorbed: 1 by the log, 0 live",
    ]
    assert digest(ours) != digest(theirs)
    assert differing(ours, ours) == []


def _with_contract(*prices, renewals=0):
    term = Term(at_ms=0, event_id="e", what="started")
    return Customer(customer_id="c", contracts={"s": Contract(term, term, renewals, list(prices))})


def test_prices_that_a_record_of_before_lacks_are_told_with_the_way_out():
    old, new = Price(1, 900, "EUR"), Price(2, 1_000, "EUR")
    ours = _with_contract(old, new)
    for theirs in (_with_contract(), _with_contract(new)):
        [said] = differing(ours, theirs)
        assert said.startswith("contracts.prices: 2 by the log")
        assert "rebuild profiles" in said
    plain = ["contracts: 1 by the log, 1 live"]
    assert differing(ours, _with_contract(old, Price(2, 1_100, "EUR"))) == plain
    assert differing(ours, _with_contract(old, renewals=1)) == plain


def test_all_differences_are_counted_and_the_first_are_named():
    check = Check(part="profiles", where="profiles/0", until=9)
    for number in range(NAMED + 5):
        check.differs(f"c_{number}", ["merged_into"])
    assert (check.different, len(check.differences), check.ok) == (NAMED + 5, NAMED, False)


def test_what_is_no_link_is_counted_by_the_forest():
    forest = Forest(SHIPPED)
    browser = Identifier(type="anonymous_id", value="b-1")
    link = state_merge(browser, ANA, "clerk", "the same", 1_780_000_000_000)
    assert forest.take(0, encode(link)) == link.link_id
    assert forest.take(1, b"{}") == ""
    assert forest.refused == 1
    assert forest.root(customer_id_of(browser)) == forest.root(customer_id_of(ANA))


@pytest.mark.parametrize(("reading", "in_flux", "different"), [(True, 1, 0), (False, 0, 1)])
def test_who_is_parted_while_the_pointers_are_read_is_in_flux(reading, in_flux, different):
    """The links are read after the pointers: they may say what no pointer could say yet."""
    browser = Identifier(type="anonymous_id", value="b-1")
    root, member = customer_id_of(ANA), customer_id_of(browser)
    forest = Forest(SHIPPED)
    forest.take(0, encode(state_merge(browser, ANA, "clerk", "the same", 1_780_000_000_000)))
    if reading:
        forest.changed.clear()
    forest.take(1, encode(state_unmerge(member, "clerk", "another", 1_780_000_000_001)))
    if not reading:
        forest.changed.clear()
    check = Check(part="identity", where="identities", until=2)
    compare_pointers(check, forest, forest.changed, {0: Seen({member: root})})
    assert (check.in_flux, check.different) == (in_flux, different)


async def twice(number, tell):
    tell(10)
    return 2 * number


@pytest.mark.parametrize("processes", [1, 2])
def test_jobs_answer_in_their_order_and_tell_how_far_they_are(processes):
    told = []
    jobs = [Job(twice, (number,), 10) for number in range(3)]
    assert run(jobs, processes, lambda done, there: told.append((done, there))) == [0, 2, 4]
    assert told[0] == (0, 30)
    if processes == 1:
        assert told[-1] == (30, 30)


@pytest.mark.parametrize(
    ("error", "way"),
    [
        (DatabaseError("Unknown expression identifier `others`", code=47), "c360 migrate"),
        (DatabaseError("Table c360.log does not exist", code=60), "c360 migrate"),
        (DatabaseError("Memory limit exceeded", code=241), "c360 doctor"),
        (OperationalError("connection refused"), "c360 doctor"),
    ],
)
def test_what_clickhouse_refuses_comes_with_the_way_out(make_settings, error, way):
    with pytest.raises(UserError, match=str(error)) as raised, said_plainly(make_settings()):
        raise error
    assert way in raised.value.remedy
