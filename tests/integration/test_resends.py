"""What a sender sends again is one row in ClickHouse, whatever its time says."""

from contextlib import closing
from datetime import timedelta

import pytest

from infra.verify.expected import Expected
from models.events import Identifier, OrderPlaced, encode_event
from models.events.commerce import Line
from models.naming import derive
from models.topics import EVENTS
from projections.client import connect
from projections.load import Chunk, Loader
from projections.migrate import migrate
from projections.order_lines import TABLE as ORDER_LINES
from projections.tables import ROUTES
from projections.touchpoints import TABLE as TOUCHPOINTS
from tests.support.histories import NOON, event, usd
from tests.support.loading import migrate_before
from tests.support.past import Record

pytestmark = pytest.mark.stack
ANA, BEN = "user_id:ana", "user_id:ben"
DAYS = (0, 40, 1 / 86_400)  # one try, and again: over a month, and a second apart


def tried(offset, late, who=ANA, source="shop", total="10.00"):
    """A record of one order, tried `late` days after noon; its time follows from receipt."""
    at = NOON + timedelta(days=late)
    named = (Identifier(type="user_id", value=who.partition(":")[2]),)
    lines = tuple(Line(sku=sku, price=usd("5.00")) for sku in "ab")
    one = event(
        OrderPlaced, at, "order-1", named, received_at=at,
        order_id="o1", total=usd(total), lines=lines, source=source,
    )  # fmt: skip
    place = {"customer_id": derive(who), "origin": "touchpoints/0", "origin_offset": offset}
    return Record(0, offset, derive(who).encode(), encode_event(one.model_copy(update=place)))


def load(settings, *records):
    """Write each record as a batch of its own: a part each."""
    with closing(Loader(lambda: connect(settings), settings.clickhouse_database)) as loader:
        for record in records:
            loader.load([Chunk(EVENTS, 0, record.offset, record.offset, [record])])


@pytest.fixture
def ask(clickhouse):
    migrate(clickhouse)
    with connect(clickhouse) as client:
        yield lambda sql: list(client.query(sql).result_rows)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_every_try_of_a_sender_is_one_row_the_first(clickhouse, ask, order):
    records = [tried(offset, late, total=f"{10 + offset}.00") for offset, late in enumerate(DAYS)]
    load(clickhouse, *(records[number] for number in order))
    assert ask("SELECT log_offset, occurred_at, amount FROM touchpoints FINAL") == [
        (0, NOON.replace(tzinfo=None), 10)
    ]
    assert ask("SELECT count() FROM order_lines FINAL") == [(2,)]
    assert ask("SELECT count(), sum(amount) FROM events") == [(1, 10)]
    later = "occurred_at > '2026-04-01 00:00:00'"
    assert ask(f"SELECT count() FROM events WHERE {later}") == [(0,)], "not where it was sent again"
    for table in ("touchpoints", "order_lines"):
        ask(f"OPTIMIZE TABLE {table} FINAL")
    assert ask("SELECT count() FROM touchpoints") == [(1,)]
    assert ask("SELECT count() FROM order_lines") == [(2,)]


def test_another_customer_and_another_source_may_give_the_same_id(clickhouse, ask):
    load(clickhouse, tried(0, 0), tried(1, 0, who=BEN), tried(2, 0, source="app"))
    assert ask("SELECT count() FROM touchpoints FINAL") == [(3,)]
    assert ask("SELECT count() FROM order_items") == [(6,)]


def test_what_was_there_before_the_migration_is_kept_once(clickhouse, tmp_path):
    migrate_before(clickhouse, "0015", tmp_path)
    names = ", ".join(TOUCHPOINTS.names)
    with connect(clickhouse) as client:
        for offset, month in ((5, "03"), (9, "04")):
            client.command(
                "INSERT INTO touchpoints"
                " (customer_id, event_id, occurred_at, type, source, log_offset)"
                f" VALUES ('c_1', 'e1', '2026-{month}-01', 'order_placed', 's', {offset})"
            )
            client.command(
                "INSERT INTO order_lines (customer_id, event_id, occurred_at, line, log_offset)"
                f" VALUES ('c_1', 'e1', '2026-{month}-01', 1, {offset})"
            )
        assert client.query("SELECT count() FROM touchpoints FINAL").result_rows == [(2,)]
        migrate(clickhouse)
        found = client.query(f"SELECT {names} FROM touchpoints FINAL").named_results()
        assert [(one["event_id"], one["log_offset"]) for one in found] == [("e1", 5)]
        lines = client.query("SELECT source, log_offset FROM order_lines FINAL").result_rows
        assert lines == [("s", 5)]


@pytest.mark.parametrize("table", [TOUCHPOINTS, ORDER_LINES], ids=lambda table: table.name)
def test_verifying_expects_the_first_try_though_another_came_since(table):
    expected = Expected(table)
    for offset, late in enumerate(DAYS):
        for of, row in ROUTES[EVENTS](tried(offset, late)):
            if of is table:
                expected.add(row)
    keys, offsets, _, in_flux = expected.newest(())
    assert set(offsets) == {0}
    assert len(expected.newest(keys)[0]) == len(keys), "the first stands"
    assert in_flux == 0
