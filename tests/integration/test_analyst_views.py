"""What analysts read: right by an independent computation, without PII, and nothing else."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import sqrt
from statistics import mean, variance

import msgspec
import pytest
from clickhouse_connect import get_client
from clickhouse_connect.driver.exceptions import DatabaseError

from infra.settings import Settings
from models.customer import encode
from models.events import (
    OrderPlaced,
    OrderRefunded,
    SubscriptionCancelled,
    SubscriptionRenewed,
    SubscriptionStarted,
)
from models.records import Decision, Example, Outcome
from models.rhythm import CONTACTS
from models.topics import DECISIONS, EVENTS, EXAMPLES, MODEL_REPORTS, PROFILES
from projections.client import connect
from projections.migrate import migrate
from projections.views import ANALYST_VIEWS
from tests.conftest import SECRETS, clickhouse_in
from tests.support.customers import rich
from tests.support.histories import event as made
from tests.support.loading import load
from tests.support.log_samples import START, history, merged, messages, order
from tests.support.model_reports import reports

pytestmark = pytest.mark.stack
# Not granted, beyond the limits, or simply not to be seen.
REFUSED = (
    "ACCESS_DENIED|SETTING_CONSTRAINT|READONLY|UNKNOWN_IDENTIFIER|CANNOT_EXTRACT_TABLE_STRUCTURE"
)
LOSER, WINNER = (f"c_{number:020d}" for number in (0, 1))
HISTORY = history(1_500, customers=60, seed=3)


@pytest.fixture
def settings(clickhouse):
    migrate(clickhouse)
    load(clickhouse, EVENTS, messages([*HISTORY, *HISTORY[:50], merged(1, LOSER, WINNER)]))
    return clickhouse


def test_a_figure_that_so_few_examples_do_not_define_is_null_and_not_0(settings, ask):
    told = reports()
    load(settings, MODEL_REPORTS, [(b"churn", msgspec.json.encode(report)) for report in told])
    names = ("auc", "log_loss", "ece", "lift")
    expected = {
        (report.offset, candidate): tuple(figures.metrics.get(f"{name}_window") for name in names)
        for report in told
        for candidate, figures in report.figures.items()
    }
    rows = ask("SELECT model_offset, candidate, auc, log_loss, ece, lift FROM model_quality")
    assert {tuple(row[:2]): tuple(row[2:]) for row in rows} == expected
    assert {(None,) * 4} < set(expected.values())


def whose(event):
    return WINNER if event.customer_id == LOSER else event.customer_id


def test_revenue_by_day_is_what_the_orders_sum_to(ask):
    expected = defaultdict(lambda: [0, set(), 0, Decimal(), Decimal()])
    for event in HISTORY:
        day = expected[event.occurred_at.date()]
        if isinstance(event, OrderPlaced):
            day[0] += 1
            day[1].add(whose(event))
            day[2] += event.units
            day[3] += event.total.amount
        elif isinstance(event, OrderRefunded):
            day[4] += event.amount.amount
    found = ask("SELECT day, orders, buyers, units, revenue, refunded FROM revenue_by_day")
    assert {row[0]: row[1:] for row in found} == {
        day: (orders, len(buyers), units, revenue, refunded)
        for day, (orders, buyers, units, revenue, refunded) in expected.items()
        if orders or refunded
    }


def test_retention_counts_who_came_back_in_later_months(ask):
    months = defaultdict(set)
    for event in HISTORY:
        if event.type in CONTACTS:
            months[whose(event)].add(event.occurred_at.year * 12 + event.occurred_at.month)
    expected = defaultdict(int)
    for active in months.values():
        for month in active:
            expected[min(active), month - min(active)] += 1
    found = ask(
        "SELECT toYear(cohort) * 12 + toMonth(cohort), months_later, retained, size, rate "
        "FROM retention_by_cohort"
    )
    assert {(cohort, later): retained for cohort, later, retained, _, _ in found} == expected
    assert all(size == expected[cohort, 0] for cohort, _, _, size, _ in found)
    assert all(rate == pytest.approx(retained / size) for _, _, retained, size, rate in found)


def test_rfm_puts_buyers_into_fifths(ask):
    buyers = defaultdict(list)
    for event in HISTORY:
        if isinstance(event, OrderPlaced):
            buyers[whose(event)].append(event)
    measured = {
        buyer: (
            max(event.occurred_at for event in orders),
            len(orders),
            sum(event.total.amount for event in orders),
        )
        for buyer, orders in buyers.items()
    }
    found = ask("SELECT customer_id, orders, revenue, recency, frequency, money FROM rfm")
    assert {row[0]: row[1:3] for row in found} == {
        buyer: measure[1:] for buyer, measure in measured.items()
    }
    for position in range(3):
        ranked = sorted(measured, key=lambda buyer: (measured[buyer][position], buyer))
        assert {row[0]: row[3 + position] for row in found} == fifths(ranked)


def fifths(ranked):
    """Return the fifth of each: sizes differ by at most one, the bigger ones first."""
    size, more = divmod(len(ranked), 5)
    given, start = {}, 0
    for fifth in range(5):
        end = start + size + (fifth < more)
        given |= dict.fromkeys(ranked[start:end], fifth + 1)
        start = end
    return given


def test_the_funnel_follows_each_customer_through_its_steps(ask):
    steps = [{"page_viewed"}, {"search_performed"}, {"order_placed"}]
    mine = defaultdict(list)
    for event in HISTORY:
        mine[whose(event)].append(event)
    reached = [level(sorted(events, key=when), steps) for events in mine.values()]
    found = ask("SELECT step, customers, started FROM funnel")
    started = sum(one >= 1 for one in reached)
    assert found == [(step, sum(one >= step for one in reached), started) for step in (1, 2, 3)]


def when(event):
    return event.occurred_at


def level(events, steps, window=timedelta(days=7)):
    """Return the furthest step reached, within the window of some first one."""
    best = 0
    for begin, first in enumerate(events):
        if first.type not in steps[0]:
            continue
        at = 1
        for event in events[begin + 1 :]:
            if event.occurred_at - first.occurred_at > window or at == len(steps):
                break
            at += event.type in steps[at]
        best = max(best, at)
    return best


def decided(name, customer, arm="none", *, earned=None, holdout=False, held=(), shown=True):
    """Return a decision, and its outcome, when there is one."""
    offer, _, channel = arm.partition("/")
    made = Decision(
        decision_id=name,
        customer_id=customer,
        at_ms=1_700_000_000_000,
        expires_ms=1_700_000_000_001,
        cause="e",
        offer=offer,
        channel=channel or None,
        arm=arm,
        campaign="spring" if offer == "tea" else "",
        propensity=0.5,
        propensities={arm: 0.5, "other": 0.5},
        model_version=1,
        policy="thompson",
        holdout=holdout,
        held=list(held),
    )
    if earned is None:
        return made, None
    cost = 0.5 if offer != "none" else 0.0
    return made, Example(
        example_id=f"offers:{name}",
        customer_id=customer,
        model="offers",
        model_version=1,
        at_ms=made.at_ms,
        label_ms=made.expires_ms,
        features=made.features,
        label=float(earned > 0),
        probability=0.5,
        arm=arm,
        outcome=Outcome(
            decision_id=name,
            margin=earned + cost,
            cost=cost,
            shown=shown,
            claimed=earned > 0,
            holdout=holdout,
            policy="thompson",
        ),
    )


def offered(settings, *made):
    load(settings, DECISIONS, [(b"", msgspec.json.encode(one)) for one, _ in made])
    told = [(b"offers", msgspec.json.encode(one)) for _, one in made if one is not None]
    load(settings, EXAMPLES, told)


def test_offer_results_tell_what_followed_each_offer(clickhouse):
    migrate(clickhouse)
    offered(
        clickhouse,
        decided("d1", "c_1", "tea/email", earned=4.0),
        decided("d2", "c_2", "tea/email", earned=-0.5, shown=False),
        decided("d3", "c_3", "tea/email"),  # its window has not ended
        decided("d4", "c_4", "none", earned=2.0, shown=False),
    )
    with connect(clickhouse) as client:
        found = client.query(
            "SELECT offer, channel, campaign, made, ended, shown, accepted, converted,"
            " margin, cost, earned, earned_each FROM offer_results"
        )
    assert found.result_rows == [
        ("none", "", "", 1, 1, 0, 1, 1, 2.0, 0.0, 2.0, 2.0),
        ("tea", "email", "spring", 3, 2, 1, 1, 1, 4.5, 1.0, 3.5, 1.75),
    ]


def test_offer_lift_compares_customers_with_those_who_were_drawn_as_controls(clickhouse):
    migrate(clickhouse)
    load(clickhouse, EVENTS, messages([merged(9, LOSER, WINNER)]))
    offered(
        clickhouse,
        decided("d1", LOSER, "tea/email", earned=4.0),
        decided("d2", WINNER, "none", earned=2.0),  # the same customer today
        decided("d3", "c_3", "none", earned=1.0),
        decided("d4", "c_4", "none", earned=3.0, holdout=True),
        decided("d5", "c_5", "none", earned=2.0, holdout=True),
        decided("d6", "c_6", "none", earned=5.0, held=["spring"]),
        decided("d7", "c_7", "none", earned=7.0, held=["spring"]),
        decided("d8", "c_8", "tea/email"),  # no outcome yet
    )
    with connect(clickhouse) as client:
        found = client.query("SELECT * FROM offer_lift").named_results()
        overall, spring = list(found)
    offered_earned, control = [6.0, 1.0, 5.0, 7.0], [3.0, 2.0]
    assert overall == expected_lift("", offered_earned, control)
    assert spring == expected_lift("spring", [6.0, 1.0], [5.0, 7.0])


def expected_lift(campaign, offered_earned, control):
    lift = mean(offered_earned) - mean(control)
    error = 1.96 * sqrt(
        variance(offered_earned) / len(offered_earned) + variance(control) / len(control)
    )
    return {
        "campaign": campaign,
        "offered_customers": len(offered_earned),
        "control_customers": len(control),
        "offered_earned": pytest.approx(mean(offered_earned)),
        "control_earned": pytest.approx(mean(control)),
        "lift": pytest.approx(lift),
        "margin_of_error": pytest.approx(error),
        "lift_low": pytest.approx(lift - error),
        "lift_high": pytest.approx(lift + error),
    }


def test_who_was_merged_out_of_both_groups_counts_in_neither(clickhouse):
    migrate(clickhouse)
    load(clickhouse, EVENTS, messages([merged(9, LOSER, WINNER)]))
    offered(
        clickhouse,
        decided("d1", LOSER, "tea/email", earned=4.0),
        decided("d2", WINNER, "none", earned=2.0, holdout=True),
        decided("d3", "c_3", "none", earned=1.0),
        decided("d4", "c_4", "none", earned=3.0, holdout=True),
    )
    with connect(clickhouse) as client:
        found = client.query(
            "SELECT offered_customers, control_customers, lift FROM offer_lift WHERE campaign = ''"
        )
    assert found.result_rows == [(1, 1, -2.0)]


def test_the_churn_board_shows_the_riskiest_first(settings, ask):
    risky, safe = rich("email:a@b.c", probability=0.9), rich("email:b@b.c", probability=0.1)
    load(settings, PROFILES, [(one.customer_id.encode(), encode(one)) for one in (safe, risky)])
    found = ask("SELECT customer_id, churn_probability, revenue['USD'] FROM churn_board")
    assert found == [
        (risky.customer_id, 0.9, Decimal("159.05")),
        (safe.customer_id, 0.1, Decimal("159.05")),
    ]


@pytest.fixture(scope="module")
def analyst(tmp_path_factory):
    """An analyst's client on a server of its own, with a customer and an order in it."""
    database = "analysed"
    readable = tuple(f"{database}.{view}" for view in ANALYST_VIEWS)
    server = clickhouse_in(tmp_path_factory.mktemp("analysed"), readable)
    server.start()
    settings = Settings.model_validate(
        SECRETS | {"clickhouse_database": database, "clickhouse": server.url}
    )
    migrate(settings)
    one = rich("email:ana@example.com", name="Ana Lopez")
    load(settings, PROFILES, [(one.customer_id.encode(), encode(one))])
    load(settings, EVENTS, messages([*HISTORY[:50], order(77_777, "c_1", START, "5.00")]))
    client = get_client(
        dsn=settings.clickhouse_url,
        username="analyst",
        password=SECRETS["analyst_password"],
        database=database,
    )
    yield client
    client.close()
    server.stop()


def test_an_analyst_reads_every_view_and_no_pii(analyst):
    for view in ANALYST_VIEWS:
        said = str(analyst.query(f"SELECT * FROM {view}").result_rows)
        assert "@example.com" not in said
        assert "Ana Lopez" not in said
        assert "green tea" not in said
    assert analyst.query("SELECT count() FROM customers").result_rows == [(1,)]
    assert analyst.query("SELECT count() FROM order_items").result_rows[0][0] > 0


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM touchpoints",
        "SELECT body FROM log",
        "SELECT * FROM places",
        "SELECT identifiers FROM profiles",
        "SELECT * FROM profiles_current",
        "SELECT * FROM touchpoints_merged",
        "SELECT * FROM dead_letters",
        "SELECT identifiers FROM customers",
        "SELECT * FROM merge(currentDatabase(), 'profiles')",
        "SELECT * FROM system.users",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString', 'x String')",
        "SELECT * FROM remote('127.0.0.1', 'analysed', 'profiles')",
        "INSERT INTO touchpoints (customer_id) VALUES ('x')",
        "CREATE TABLE mine (x Int8) ENGINE = Memory",
        "DROP VIEW customers",
        "SYSTEM SHUTDOWN",
        "SELECT 1 SETTINGS max_execution_time = 0",
        "SELECT 1 SETTINGS max_memory_usage = 0",
    ],
)
def test_an_analyst_is_refused_everything_else(analyst, statement):
    with pytest.raises(DatabaseError, match=REFUSED):
        analyst.command(statement)


def test_contracts_are_told_with_their_renewals_and_their_ends(settings, ask):
    now = datetime.now(UTC)

    def word(number, kind, days, id, **fields):
        at, plan = now - timedelta(days=days), {"plan": "basic"}
        return made(kind, at, f"s{number}", subscription_id=id, **plan | fields).model_copy(
            update={"customer_id": "c_1", "received_at": at}
        )

    said = [
        word(0, SubscriptionStarted, 100, "a", renews_at=now - timedelta(days=70)),
        word(1, SubscriptionRenewed, 70, "a", period="month"),
        word(2, SubscriptionCancelled, 50, "a"),
        word(3, SubscriptionStarted, 100, "b", renews_at=now - timedelta(days=70)),
        word(4, SubscriptionStarted, 100, "c", renews_at=now - timedelta(days=5)),
        word(5, SubscriptionStarted, 100, "d"),
        word(6, SubscriptionStarted, 40, "e", renews_at=now - timedelta(days=20)),
        word(7, SubscriptionRenewed, 20, "e", period="month"),
        word(8, SubscriptionRenewed, 19, "e"),
    ]
    load(settings, EVENTS, messages(said))
    found = {
        id: (
            state,
            renewals,
            ended and round((now - ended.replace(tzinfo=UTC)).total_seconds() / 86_400),
        )
        for id, state, renewals, ended in ask(
            "SELECT subscription_id, state, renewals, toTimeZone(ended, 'UTC') FROM contracts"
        )
    }
    assert found == {
        "a": ("cancelled", 1, 50),
        "b": ("lapsed", 0, 70),
        "c": ("running", 0, None),
        "d": ("running", 0, None),
        "e": ("running", 2, None),  # the newest renewal states no end
    }
    first = ask("SELECT size, running, renewed FROM renewal_by_cohort WHERE months_later = 0")
    assert sum(size for size, _, _ in first) == 5
    last = ask(
        "SELECT running FROM renewal_by_cohort ORDER BY cohort, months_later DESC LIMIT 1 BY cohort"
    )
    assert sum(running for (running,) in last) == 3
