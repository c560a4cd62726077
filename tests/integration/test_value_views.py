"""Value, segments and migration in SQL: what Python tells of the same customers, then."""

from datetime import UTC, timedelta
from decimal import Decimal
from functools import reduce

import msgspec
import pytest

from models.customer import Customer, encode
from models.events import FeedbackGiven, OrderPlaced, OrderRefunded
from models.lifetime import Lifetime
from models.population import Cuts, Population, Spend
from models.population import encode as encode_population
from models.profile import Profile, evolve
from models.records import Command
from models.rhythm import DAY_MS
from models.topics import EVENTS, EXAMPLES, PROFILES
from models.traits.value import value
from projections.client import connect
from projections.migrate import migrate
from tests.support.histories import NOON, event, usd
from tests.support.loading import load
from tests.support.log_samples import messages, order

pytestmark = pytest.mark.stack
BEGIN = NOON - timedelta(days=400)
NOON_MS = event(at=BEGIN).occurred_ms
FITTED = Population(
    purchases=Lifetime(r=0.9, alpha=40.0, a=1.3, b=3.0, temper=0.7),
    spend={"USD": Spend(p=6.25, q=3.74, v=15_440.0)},
    cuts=Cuts(recency=[10, 30, 90, 200], frequency=[2, 3, 5, 9], money={"USD": [1, 2, 3, 4]}),
    fitted_ms=NOON_MS,
    customers=777,
)


def buyer(number, days, totals=("20.00",), **fields):
    """Make a customer of a backfill that ended 300 days on: silence counts until then."""
    events = [
        event(OrderPlaced, BEGIN + timedelta(days=day), f"o{n}", total=usd(totals[n % len(totals)]))
        for n, day in enumerate(days)
    ]
    events += [event(OrderRefunded, BEGIN, "r", amount=usd("5.00"))]
    events += [event(FeedbackGiven, BEGIN, "f", text="정말 좋아요")]
    end = NOON_MS + 300 * DAY_MS
    return Customer(
        customer_id=f"c_{number:020d}",
        offset=number,
        clock_ms=end,
        observed_until_ms=end,
        profile=reduce(evolve, events, Profile()),
    )


BUYERS = [
    buyer(1, [0]),
    buyer(2, [0, 0.2, 200, 290], ("20.00", "80.00")),
    buyer(3, range(0, 300, 7)),
    buyer(4, range(0, 290, 2), ("9.99", "1.00")),
    buyer(5, [100, 120], ("500.00",)),
]


@pytest.fixture
def ask(clickhouse):
    migrate(clickhouse)
    load(clickhouse, PROFILES, [(one.customer_id.encode(), encode(one)) for one in BUYERS])
    with connect(clickhouse) as client:
        client.settings = clickhouse
        yield client


def fit(ask):
    command = Command(
        command_id="fit-1",
        model="population",
        action="population",
        at_ms=NOON_MS,
        by="fit",
        reason="daily",
        population=msgspec.Raw(encode_population(FITTED)),
    )
    load(ask.settings, EXAMPLES, [(b"population", msgspec.json.encode(command))])


@pytest.mark.parametrize("fitted", [False, True])
def test_value_in_sql_is_value_in_python(ask, fitted):
    if fitted:
        fit(ask)
    population = FITTED if fitted else Population()
    rows = {
        row["customer_id"]: row for row in ask.query("SELECT * FROM customer_value").named_results()
    }
    assert len(rows) == len(BUYERS)
    for one in BUYERS:
        told, row = value(one, NOON_MS + 9_000 * DAY_MS, population), rows[one.customer_id]
        assert row["alive"] == pytest.approx(told.alive, rel=1e-9)
        assert row["purchase_30_days"] == pytest.approx(told.purchase, rel=1e-6, abs=1e-5)
        assert row["gap_days"] == pytest.approx(told.gap_days)
        assert row["expected_orders"] == pytest.approx(told.orders, rel=1e-6)
        assert row["clv"] * 100 == pytest.approx(told.clv["USD"], rel=1e-6, abs=1)
        assert row["revenue"] == Decimal(told.rfm.money["USD"]) / 100
        assert row["recency_days"] == told.rfm.recency_days
        assert (row["recency"], row["frequency"]) == (
            told.rfm.recency_score,
            told.rfm.frequency_score,
        )
        assert row["segment"] == (told.rfm.segment or "")
        assert abs(row["next_purchase"].toordinal() - 719_163 - told.next_ms / DAY_MS) <= 1.5
    assert sorted(row["clv_band"] for row in rows.values()) == [1, 2, 3, 4, 5]


def test_segments_count_every_buyer_once(ask):
    fit(ask)
    rows = ask.query("SELECT sum(customers), sum(revenue) FROM rfm_segments").first_row
    paid = sum(value(one, NOON_MS, FITTED).rfm.money["USD"] for one in BUYERS)
    assert rows == (len(BUYERS), Decimal(paid) / 100)


def test_opinion_and_interests_are_columns(ask):
    [(sentiment, mean, texts)] = ask.query(
        "SELECT DISTINCT sentiment, sentiment_mean > 0.4, sentiment_texts FROM customers"
    ).result_rows
    assert (sentiment > 0.4, mean, texts) == (True, 1, 1)


def test_migration_tells_who_went_up_and_who_fell_out(ask):
    orders = [
        order(1, "c_1", NOON, "10.00"),
        order(2, "c_2", NOON, "99.00"),
        order(3, "c_1", NOON + timedelta(days=31), "500.00"),
        order(4, "c_3", NOON - timedelta(days=500), "7.00"),
    ]
    load(ask.settings, EVENTS, messages(orders))
    rows = ask.query(
        "SELECT from_band, to_band, customers FROM value_migration "
        "WHERE month IN ('2026-03-01', '2026-04-01') ORDER BY ALL"
    ).result_rows
    assert rows == [(0, 1, 1), (0, 2, 1), (1, 2, 1), (2, 1, 1)]
    [(month, customers, change)] = ask.query(
        "SELECT month, customers, revenue_change FROM value_migration WHERE to_band = 0"
    ).result_rows
    assert (month.isoformat(), customers, change) == ("2025-10-01", 1, Decimal("-7"))


def test_who_bought_last_month_comes_this_month_from_the_band_that_he_was_in(ask):
    [(now,)] = ask.query("SELECT now64(3, 'UTC')").result_rows
    before = now.replace(day=1, tzinfo=UTC) - timedelta(days=3)
    load(ask.settings, EVENTS, messages([order(1, "c_1", before, "10.00")]))
    rows = ask.query(
        "SELECT from_band, to_band FROM value_migration WHERE month >= {month:Date}",
        {"month": now.replace(day=1).date()},
    ).result_rows
    assert rows == [(1, 1)]
