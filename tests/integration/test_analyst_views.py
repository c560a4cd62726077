"""What analysts read: right by an independent computation, without PII, and nothing else."""

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from clickhouse_connect import get_client
from clickhouse_connect.driver.exceptions import DatabaseError

from infra.settings import Settings
from models.customer import encode
from models.events import OrderPlaced, OrderRefunded
from models.records import Decision
from models.rhythm import CONTACTS
from models.topics import DECISIONS, EVENTS, PROFILES
from projections.client import connect
from projections.load import Chunk, Loader
from projections.migrate import migrate
from projections.views import ANALYST_VIEWS
from tests.conftest import SECRETS, clickhouse_in
from tests.support.customers import rich
from tests.support.log_samples import START, history, merged, messages, order

pytestmark = pytest.mark.stack
# Not granted, beyond the limits, or simply not to be seen.
REFUSED = (
    "ACCESS_DENIED|SETTING_CONSTRAINT|READONLY|UNKNOWN_IDENTIFIER|CANNOT_EXTRACT_TABLE_STRUCTURE"
)
LOSER, WINNER = (f"c_{number:020d}" for number in (0, 1))
HISTORY = history(1_500, customers=60, seed=3)


class Record:
    partition = 0
    timestamp = 1_700_000_000_000
    headers = ()

    def __init__(self, offset, key, value):
        self.offset, self.key, self.value = offset, key, value


def load(settings, topic, keyed):
    records = [Record(offset, key, value) for offset, (key, value) in enumerate(keyed)]
    loader = Loader(lambda: connect(settings), settings.clickhouse_database)
    loader.load([Chunk(topic, 0, 0, len(records) - 1, records)])
    loader.close()


@pytest.fixture
def settings(clickhouse):
    migrate(clickhouse)
    load(clickhouse, EVENTS, messages([*HISTORY, *HISTORY[:50], merged(1, LOSER, WINNER)]))
    return clickhouse


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


def decision(name, customer, offer, at, *, holdout=False):
    ms = int(at.timestamp() * 1_000)
    return Decision(
        decision_id=name,
        customer_id=customer,
        at_ms=ms,
        expires_ms=ms + 1,
        cause="e",
        offer=offer,
        propensity=0.5,
        propensities={offer: 0.5, "other": 0.5},
        model_version=1,
        policy="thompson",
        holdout=holdout,
    )


def test_offer_lift_compares_with_the_holdout(clickhouse):
    migrate(clickhouse)
    decisions = [
        decision("d1", LOSER, "tea", START),  # buys within 14 days, as WINNER
        decision("d2", "c_2", "tea", START),  # buys too late
        decision("d3", "c_3", "none", START, holdout=True),  # does not buy
        decision("d4", "c_4", "none", START, holdout=True),  # bought before
        decision("d5", "c_5", "none", START, holdout=True),  # buys
    ]
    bought = [
        order(1, WINNER, START + timedelta(days=13), "5.00"),
        order(2, "c_2", START + timedelta(days=15), "5.00"),
        order(3, "c_4", START - timedelta(days=1), "5.00"),
        order(4, "c_5", START + timedelta(hours=1), "5.00"),
        order(5, "c_5", START + timedelta(hours=2), "5.00"),
    ]
    load(clickhouse, EVENTS, messages([*bought, merged(9, LOSER, WINNER)]))
    load(clickhouse, DECISIONS, [(b"", msgspec.json.encode(one)) for one in decisions])
    with connect(clickhouse) as client:
        found = client.query("SELECT offer, decisions, conversions, lift FROM offer_lift")
    assert found.result_rows == [
        ("(holdout)", 3, 1, 0.0),
        ("tea", 2, 1, pytest.approx(1 / 2 - 1 / 3)),
    ]


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
