"""Rows: what each record of the log says, in the columns of its table."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields, replace

from models.customer import Customer, Regroup, encode
from models.dead_letter import DeadLetter, headers_of
from models.errors import Reason, TouchpointRejectedError
from models.events import (
    Custom,
    CustomerIdentified,
    FeedbackGiven,
    Identifier,
    PageViewed,
    TicketOpened,
    TimerFired,
    encode_event,
)
from models.events.clock import ms_of
from models.links import encode as encode_link
from models.links import state_merge, state_unmerge
from models.profile import Profile, Trait, fold_all
from models.records import NO_FEATURES, Command, Decision, Example, Outcome, Score, pack
from models.records import Reason as Share
from models.topics import (
    DEAD_LETTERS,
    DECISIONS,
    EVENTS,
    EXAMPLES,
    IDENTITY_LINKS,
    PROFILES,
    SCORES,
)
from projections import (
    dead_letters,
    dead_rows,
    decisions,
    identity_links,
    moves,
    order_lines,
    profile_part,
    profiles,
    scores,
    touchpoints,
)
from projections.rows.score_part import named
from projections.rows.times import milliseconds
from projections.tables import project, standing
from tests.support.customers import rich
from tests.support.histories import histories
from tests.support.log_samples import START, envelope, merged, messages, money, order, regrouped


class Record:
    topic = "t"
    partition = 3
    timestamp = 1_700_000_000_000

    def __init__(self, value, key=b"k", offset=5, headers=()):
        self.value, self.key, self.offset, self.headers = value, key, offset, headers


def rows(topic, *records):
    return {
        table.name: [dict(zip(table.names, row, strict=True)) for row in laid_out]
        for table, laid_out in project(topic, standing(topic, records)).items()
    }


def event_row(event):
    [row] = rows(EVENTS, Record(encode_event(event)))["touchpoints"]
    return row


def test_an_order_is_one_touchpoint_and_a_row_for_each_line():
    event = order(1, "c_1", START, "10.00")
    laid_out = rows(EVENTS, Record(encode_event(event)))
    [row] = laid_out["touchpoints"]
    assert Decimal(row["amount"]) == Decimal("10.00")
    assert row["margin"] == Decimal(event.margin_minor).scaleb(-2)
    assert (row["units"], row["currency"], row["log_partition"], row["log_offset"]) == (
        *(3, "USD"),
        *(3, 5),
    )
    assert [(line["line"], line["sku"], line["quantity"]) for line in laid_out["order_lines"]] == [
        (1, "tea", 2),
        (2, "cup", 1),
    ]


def test_a_stated_margin_wins_and_unknown_costs_leave_none():
    stated = order(1, "c_1", START, "10.00").model_copy(update={"margin": money("4.00")})
    assert event_row(stated)["margin"] == Decimal("4.00")
    assert event_row(stated.model_copy(update={"margin": None, "lines": ()}))["margin"] is None


@pytest.mark.parametrize("given", [{}, {"tax": "0.70"}, {"tax": "0.70", "shipping": "12.00"}])
def test_the_margin_is_what_the_order_itself_computes(given):
    parts = {name: money(amount) for name, amount in given.items()}
    event = order(1, "c_1", START, "10.00").model_copy(update=parts)
    assert event_row(event)["margin"] == Decimal(event.margin_minor).scaleb(-2)


def test_times_keep_their_milliseconds():
    at = datetime(2026, 1, 1, 0, 0, 0, 123_999, tzinfo=UTC)
    row = event_row(PageViewed(**envelope(1, "c_1", at), path="/"))
    assert row["occurred_at"] == 1_767_225_600_123


def test_a_default_that_the_log_leaves_out_is_in_the_row():
    given = envelope(1, "c_1", START)
    assert event_row(PageViewed(**given, path="/"))["channel"] == "web"
    ticket = event_row(TicketOpened(**given, ticket_id="t1"))
    assert (ticket["kind"], ticket["props"]) == ("other", {"priority": "normal"})


def test_what_names_a_person_is_apart_from_what_analysts_see():
    given = envelope(1, "c_1", START)
    said = event_row(CustomerIdentified(**given, traits={"name": "Ana"}))
    assert "Ana" in said["personal"]["traits"]
    assert "Ana" not in str(said["props"])
    custom = Custom(**given, name="quiz", properties={"Email": "a@b.c", "level": 3})
    row = event_row(custom)
    assert (row["name"], row["props"], row["personal"]) == (
        "quiz",
        {"level": "3"},
        {"Email": "a@b.c"},
    )
    text = event_row(FeedbackGiven(**given, kind="nps", score=3, text="call me: 010"))
    assert text["personal"] == {"text": "call me: 010"}
    assert (text["kind"], text["score"]) == ("nps", 3)


def test_an_old_version_in_the_log_is_read_as_todays():
    old = (
        b'{"type":"page_viewed","schema_version":1,"event_id":"e","customer_id":"c","occurred_at":'
        b'"2026-01-01T00:00:00Z","received_at":"2026-01-01T00:00:00Z","identifiers":'
        b'[{"type":"email","value":"a@b.c"}],"url":"https://shop.example/a?b"}'
    )
    [row] = rows(EVENTS, Record(old))["touchpoints"]
    assert row["path"] == "/a"


def test_a_forwarded_copy_and_the_streams_own_events_are_no_touchpoints():
    copy = PageViewed(**envelope(1, "c_1", START, origin="events/2"), path="/")
    timer = TimerFired(
        event_id="t", occurred_at=START, received_at=START, customer_id="c_1", due_ms=1
    )
    laid_out = rows(EVENTS, Record(encode_event(copy)), Record(encode_event(timer)))
    assert [(row["type"], row["direct"]) for row in laid_out.pop("log")] == [
        ("page_viewed", False),
        ("timer_fired", False),
    ]
    assert laid_out == {}


def test_every_record_of_the_log_is_kept_as_it_was_on_the_topic():
    event = order(1, "c_1", START, "10.00")
    value = encode_event(event)
    assert rows(EVENTS, Record(value))["log"] == [
        {
            "customer_id": "c_1",
            "log_partition": 3,
            "log_offset": 5,
            "type": "order_placed",
            "event_id": "e1",
            "occurred_at": event.occurred_ms,
            "received_at": event.received_ms,
            "direct": True,
            "body": value,
        }
    ]


def test_a_place_is_written_before_the_record_of_the_log_that_gives_it():
    page = PageViewed(**envelope(1, "c_a", START), path="/")
    events = [encode_event(page), messages([merged(1, "c_a", "c_b")])[0][1]]
    assert list(rows(EVENTS, *(Record(event) for event in events)))[:2] == ["places", "log"]


def test_who_was_told_to_belong_to_whom_is_found_by_the_root():
    events = [
        messages([one])[0][1] for one in (merged(1, "c_a", "c_b"), regrouped(7, "c_a", "c_c"))
    ]
    assert [
        (row["root"], row["customer_id"])
        for row in rows(EVENTS, *(Record(event) for event in events))["places"]
    ] == [("c_b", "c_a"), ("c_c", "c_a")]


@pytest.mark.parametrize(("regroup", "complete"), [(None, 1), (Regroup(7, 0), 0)])
def test_a_profile_says_whether_it_is_whole(regroup, complete):
    value = encode(Customer(customer_id="c_1", version=3, regroup=regroup))
    [row] = rows(PROFILES, Record(value))["profiles"]
    assert row["complete"] == complete


def test_a_merge_and_a_place_after_an_unmerge_are_rows_of_their_own():
    merge = merged(1, "c_a", "c_b", origin="identity-links/0", origin_offset=6, generation=2)
    told = [merge, regrouped(7, "c_a", "c_a", others=1)]
    rows_of = rows(EVENTS, *(Record(value) for _, value in messages(told)))[moves.TABLE.name]
    of = ("customer_id", "link_offset", "kind", "root", "others", "generation", "cause", "by")
    assert [tuple(row[name] for name in of) for row in rows_of] == [
        ("c_a", 6, "merged", "c_b", 0, 2, "l1", ""),
        ("c_a", 7, "regrouped", "c_a", 1, 7, "u7", "Kim Minji"),
    ]


def test_links_and_what_people_said_of_them_are_rows():
    link = state_merge(Identifier(type="email", value="a@b.kr"), "c_b", "Kim", "asked for", 5)
    parted = state_unmerge("c_b", "Kim", "a mistake", 6)
    rows_of = rows(IDENTITY_LINKS, Record(encode_link(link)), Record(encode_link(parted)))
    of = ("link_id", "kind", "customer_id", "type", "other", "at", "by", "reason", "log_offset")
    assert [tuple(row[name] for name in of) for row in rows_of[identity_links.TABLE.name]] == [
        (link.link_id, "stated", link.left, "email", "c_b", 5, "Kim", "asked for", 5),
        (parted.unmerge_id, "unmerged", "c_b", "", "", 6, "Kim", "a mistake", 5),
    ]
    assert list(rows(IDENTITY_LINKS, Record(b"{}"))) == [dead_rows.TABLE.name]


@pytest.mark.parametrize(
    "value", [b"", b"nonsense", b"[]", b"{}", b'{"type":"page_viewed"}', b"\xff", None]
)
def test_an_unreadable_record_is_a_dead_row_that_keeps_it_whole(value):
    [row] = rows(EVENTS, Record(value))[dead_rows.TABLE.name]
    assert row["value"] == (value or b"").decode("utf-8", "backslashreplace")
    assert (row["topic"], row["log_offset"]) == ("events", 5)
    assert row["error"]


def test_a_profile_has_its_money_in_units_and_its_erasure_a_row():
    profile = Profile(
        revenue={"USD": 1_050, "KRW": 9_000},
        traits={"name": Trait("Ana", 1, "e")},
        consents={"marketing": Trait(False, 1, "e")},
    )
    state = encode(Customer(customer_id="c_1", version=4, profile=profile))
    kept, erased = rows(PROFILES, Record(state), Record(None, key=b"c_2"))["profiles"]
    assert kept["revenue"] == {"USD": Decimal("10.50"), "KRW": Decimal(9_000)}
    assert (kept["traits"], kept["consents"], kept["is_deleted"]) == (
        *({"name": "Ana"}, {"marketing": 0}),
        0,
    )
    assert (erased["customer_id"], erased["is_deleted"], erased["revenue"]) == ("c_2", 1, {})


@given(histories())
def test_a_row_of_a_profile_is_what_the_whole_customer_would_give(history):
    whole = replace(rich(), profile=fold_all(Profile(), history), clock_ms=1_800_000_000_000)
    for customer in (whole, replace(whole, risk=None, offer=None, merged_into="c_2")):
        part = profile_part.read(encode(customer))
        assert profiles.to_row(part, 3, 5) == profiles.to_row(customer, 3, 5)


def test_what_a_row_reads_of_a_profile_has_the_names_and_defaults_that_it_has_there():
    for part, whole in ((profile_part.ProfilePart, Profile), (profile_part.CustomerPart, Customer)):
        known = {field.name: field for field in fields(whole)}
        for field in fields(part):
            assert field.encode_name == known[field.name].encode_name
            if field.name != "profile":
                assert field.default == known[field.name].default
                assert field.default_factory == known[field.name].default_factory


def test_a_dead_letter_keeps_the_senders_headers_apart_from_ours():
    rejected = TouchpointRejectedError(Reason.BAD_TIME, "1970", "occurred_at")
    headers = headers_of(rejected, "touchpoints/1/2", [("source", b"shop")])
    assert DeadLetter.of(headers) == DeadLetter(
        "bad_time", "occurred_at", "1970", "touchpoints/1/2", (("source", b"shop"),)
    )
    [row] = rows(DEAD_LETTERS, Record(b"\xff", headers=headers))["dead_letters"]
    assert (row["reason"], row["headers"], row["value"]) == (
        *("bad_time", {"source": "shop"}),
        "\\xff",
    )


def test_the_mark_of_a_redrive_is_no_letter():
    marked = rows(DEAD_LETTERS, Record(None, headers=[("redriven", b"12")]))
    assert list(marked) == [dead_letters.REDRIVES.name]


@pytest.mark.parametrize("table", [touchpoints.TABLE, order_lines.TABLE, profiles.TABLE])
def test_every_column_that_holds_pii_is_named_so_that_views_can_leave_it_out(table):
    personal = {"identifiers", "personal", "traits"} & set(table.columns)
    assert personal or table is order_lines.TABLE


def test_of_a_topic_that_keeps_the_newest_only_a_keys_last_record_makes_a_row():
    ana, bo = (Customer(customer_id=name, version=1) for name in ("c_a", "c_b"))
    records = [
        Record(encode(ana), b"c_a", 1),
        Record(b"not a customer", b"c_a", 2),
        Record(encode(bo), b"c_b", 3),
        Record(encode(Customer(customer_id="c_a", version=2)), b"c_a", 4),
        Record(None, b"c_b", 5),
    ]
    laid_out = rows(PROFILES, *records)
    assert [(row["customer_id"], row["log_offset"]) for row in laid_out["profiles"]] == [
        ("c_a", 4),
        ("c_b", 5),
    ]
    assert set(laid_out) == {"profiles"}


def test_records_without_a_key_are_all_told():
    assert len(rows(PROFILES, Record(b"x", None, 1), Record(b"y", None, 2))["dead_rows"]) == 2


def test_every_record_of_a_topic_that_keeps_all_makes_its_rows():
    event = encode_event(order(1, "c_1", START, "10.00"))
    assert len(rows(EVENTS, Record(event, b"c_1", 1), Record(event, b"c_1", 2))["touchpoints"]) == 2


def test_the_beliefs_of_a_decision_are_by_arm_in_its_row():
    arms = {"tea/email": 0.75, "none": 0.25}
    told = {"means": [-1.0, -2.0], "deviations": [0.5, 0.25], "margins": [9.0, 4.0]}
    [row] = rows(DECISIONS, Record(msgspec.json.encode(decision(propensities=arms, **told))))[
        "decisions"
    ]
    assert {name: row[name] for name in told} == {
        name: dict(zip(arms, said, strict=True)) for name, said in told.items()
    }
    assert (row["arm"], row["campaign"], row["held"]) == ("tea/email", "spring", ["autumn"])


def test_a_decision_is_told_by_its_row():
    made = decision(
        propensities={"tea/email": 0.75, "none": 0.25},
        means=[-1.0, -2.0],
        deviations=[0.5, 0.25],
        margins=[9.0, 4.0],
    )
    for one in (made, decision(propensities={"none": 1.0})):
        [row] = rows(DECISIONS, Record(msgspec.json.encode(one)))["decisions"]
        times = {name: START.replace(tzinfo=None) for name in ("at", "expires")}
        assert decisions.from_row(row | times) == one


def decision(**given):
    ms = int(START.timestamp() * 1_000)
    return Decision(
        decision_id="d",
        customer_id="c_1",
        at_ms=ms,
        expires_ms=ms,
        cause="e",
        offer="tea",
        channel="email",
        arm="tea/email",
        campaign="spring",
        held=["autumn"],
        propensity=0.75,
        model_version=3,
        policy="thompson",
        **given,
    )


def test_an_outcome_is_a_row_of_its_decision():
    outcome = Outcome(decision_id="d", margin=9.0, cost=0.5, shown=True, claimed=True, policy="p")
    value = msgspec.json.encode(example("offers", arm="tea/email", outcome=outcome))
    [row] = rows(EXAMPLES, Record(value, b"offers"))["outcomes"]
    of = ("decision_id", "arm", "offer", "channel", "margin", "cost", "shown", "claimed", "reward")
    assert [row[name] for name in of] == ["d", "tea/email", "tea", "email", 9.0, 0.5, 1, 1, 1.0]


def test_of_the_models_log_outcomes_alone_are_rows():
    churn = msgspec.json.encode(example("churn"))
    command = Command(
        command_id="x", model="offers", action="freeze", at_ms=1, by="Kim", reason="a test"
    )
    said = Record(msgspec.json.encode(command), b"offers")
    assert rows(EXAMPLES, Record(churn, b"churn"), said) == {}
    assert list(rows(EXAMPLES, Record(b"{}", b"offers"))) == [dead_rows.TABLE.name]


def example(model, **given):
    return Example(
        example_id="x",
        customer_id="c_1",
        model=model,
        model_version=3,
        at_ms=1,
        label_ms=2,
        features=NO_FEATURES,
        label=1.0,
        probability=0.5,
        **given,
    )


@pytest.mark.parametrize(
    "said", [{}, {"silence": 1.5, "nps": -0.000001, "tenure": 3.0}, {"gone": 2.0, "silence": 1.0}]
)
def test_a_score_is_a_row_with_all_its_features_whatever_they_are_called(said):
    given = score(features=pack(said), reasons=[Share("silence", 0.5, 30.0, 14.5, "silence")])
    [row] = rows(SCORES, Record(msgspec.json.encode(given)))["scores"]
    assert named(row.pop("features")) == said
    assert scores.from_row(row | {"at": START.replace(tzinfo=None)}) == score(reasons=given.reasons)


@pytest.mark.parametrize("features", [b'{"silence":null}', b'{"silence":"x"}', b"[]", b"5"])
def test_a_score_whose_features_are_no_numbers_is_a_dead_row(features):
    said = msgspec.json.encode(score(features=msgspec.Raw(features)))
    assert list(rows(SCORES, Record(said))) == [dead_rows.TABLE.name]


def score(**given):
    return Score(
        score_id="s",
        customer_id="c_1",
        model="churn",
        model_version=3,
        at_ms=int(START.timestamp() * 1_000),
        cause="e",
        probability=0.5,
        band="low",
        horizon_days=30,
        **given,
    )


@given(
    st.datetimes(timezones=st.just(UTC)),
    st.sampled_from(["microseconds", "milliseconds", "seconds"]),
)
def test_a_time_is_read_as_the_library_reads_it(at, finest):
    iso = at.isoformat(timespec=finest).replace("+00:00", "Z")
    assert milliseconds(iso) == ms_of(datetime.fromisoformat(iso))


@pytest.mark.parametrize(
    "iso",
    [
        *("2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z"),
        *("2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", ""),
        *("2026-01-01T00:00:00", "0000-01-01T00:00:00Z", "2026-01-0xT00:00:00Z"),
    ],
)
def test_what_is_no_time_is_refused(iso):
    with pytest.raises((ValueError, TypeError)):
        milliseconds(iso)


def test_a_time_of_another_zone_is_the_same_moment():
    assert milliseconds("2026-01-01T09:00:00.5+09:00") == milliseconds(
        "2026-01-01T00:00:00.500000Z"
    )
