"""Who is one customer, in ClickHouse: a merge makes them one, an unmerge two, and one again."""

import pytest

from models.links import Edge, Identity, Refusal, encode, state_merge, state_unmerge
from models.topics import EVENTS, IDENTITIES, IDENTITY_LINKS
from projections.client import connect
from projections.migrate import migrate
from tests.support.loading import load, migrate_before
from tests.support.log_samples import START, merged, messages, order, regrouped

pytestmark = pytest.mark.stack

BROWSER, EMAIL, USER, OTHER = (f"c_{name * 20}" for name in "abcd")


class Log:
    """The topics of one deployment, as projecting reads them: one partition each."""

    partition = 0

    def __init__(self, settings):
        self.settings = settings
        self.offsets = {EVENTS: 0, IDENTITIES: 0, IDENTITY_LINKS: 0}

    def put(self, topic, *keyed):
        load(self.settings, topic, keyed, self.offsets[topic])
        self.offsets[topic] += len(keyed)

    def tell(self, *events):
        self.put(EVENTS, *messages(events))


def joined(at, loser, winner):
    """Return the merge that the link at an offset of identity-links led to."""
    return merged(at, loser, winner, origin="identity-links/0", origin_offset=at)


@pytest.fixture
def settings(clickhouse):
    migrate(clickhouse)
    return clickhouse


@pytest.fixture
def log(settings):
    """A log with an order each of four customers."""
    log = Log(settings)
    customers = (BROWSER, EMAIL, USER, OTHER)
    log.tell(*(order(n, one, START, "10.00") for n, one in enumerate(customers)))
    return log


@pytest.fixture
def buyers(ask):
    """Return a function that gives the buyers as an analyst sees them, with their revenue."""

    def buyers():
        return {
            who: int(revenue)
            for who, revenue in ask("SELECT customer_id, revenue FROM rfm ORDER BY 1")
        }

    return buyers


def test_a_merge_makes_them_one_an_unmerge_two_and_a_merge_one_again(log, ask, buyers):
    assert len(buyers()) == 4
    log.tell(joined(0, BROWSER, EMAIL))
    assert buyers() == {EMAIL: 20, USER: 10, OTHER: 10}
    log.tell(joined(1, EMAIL, USER))
    assert buyers() == {USER: 30, OTHER: 10}
    # The e-mail is taken out, and the browser, which hung on it, goes with it.
    log.tell(regrouped(2, EMAIL, EMAIL, others=1), regrouped(2, BROWSER, EMAIL))
    log.tell(regrouped(2, USER, USER))
    assert buyers() == {EMAIL: 20, USER: 10, OTHER: 10}
    assert ask(
        "SELECT customer_id, uniqExact(order_id) FROM order_items GROUP BY 1 ORDER BY 1"
    ) == [
        (EMAIL, 2),
        (USER, 1),
        (OTHER, 1),
    ]
    log.tell(joined(3, EMAIL, OTHER))
    assert buyers() == {USER: 10, OTHER: 30}
    assert ask("SELECT * FROM identity_overrides ORDER BY 1") == [(BROWSER, OTHER), (EMAIL, OTHER)]


def test_the_resolvers_order_counts_not_the_order_of_arrival(log, buyers):
    log.tell(regrouped(2, EMAIL, EMAIL), joined(1, EMAIL, USER))
    assert buyers() == dict.fromkeys((BROWSER, EMAIL, USER, OTHER), 10)


def test_a_repeated_move_is_there_once_and_changes_nothing(log, ask, buyers):
    moves = [joined(1, EMAIL, USER), regrouped(2, EMAIL, EMAIL)]
    log.tell(*moves, *moves)
    assert buyers() == dict.fromkeys((BROWSER, EMAIL, USER, OTHER), 10)
    assert ask("SELECT count() FROM identity_moves FINAL") == [(2,)]


def test_pointers_in_a_loop_end(log, ask):
    log.tell(joined(1, EMAIL, USER), joined(2, USER, EMAIL))
    assert len(ask("SELECT * FROM identity")) == 2


def test_links_and_words_of_people_are_found_by_either_side(log, ask):
    link = state_merge(EMAIL, USER, "Kim", "asked on the phone", 5)
    parted = state_unmerge(EMAIL, "Lee", "a mistake", 6)
    log.put(IDENTITY_LINKS, *((b"k", encode(one)) for one in (link, parted, link)))
    assert ask(
        "SELECT kind, by, reason FROM identity_links FINAL "
        f"WHERE customer_id = '{EMAIL}' OR other = '{USER}' ORDER BY at"
    ) == [("stated", "Kim", "asked on the phone"), ("unmerged", "Lee", "a mistake")]


def test_what_was_refused_is_told_by_customer_and_reason(log, ask):
    newest = [
        Refusal("l_1", OTHER, "two_users", 5_000),
        Refusal("l_2", EMAIL, "too_many", 9_000),
        Refusal("l_3", OTHER, "two_users", 7_000),
    ]
    root = Identity(
        type="user_id",
        counts={"user_id": 1, "email": 2},
        links={EMAIL: Edge("stated", "cut", 4, "Kim", "a mistake")},
        refused=newest,
        refusals={"two_users": 40, "too_many": 1},
    )
    nodes = [(USER, root), (EMAIL, Identity(type="email", parent=USER))]
    notes = [(b"_applied", b'{"applied":7}')]
    log.put(IDENTITIES, *((id.encode(), encode(node)) for id, node in nodes), *notes)
    assert ask(
        "SELECT customer_id, reason, refused, members, toUnixTimestamp(newest) "
        "FROM identity_refusals ORDER BY refused"
    ) == [(USER, "too_many", 1, 3, 9), (USER, "two_users", 40, 3, 7)]
    assert ask("SELECT customer_id, links.other, links.state FROM identities FINAL ORDER BY 1") == [
        (EMAIL, [], []),
        (USER, [EMAIL], ["cut"]),
    ]
    assert ask("SELECT count() FROM dead_rows") == [(0,)]


def test_merges_of_before_the_migration_are_kept(clickhouse, tmp_path):
    migrate_before(clickhouse, "0008", tmp_path)
    with connect(clickhouse) as client:
        client.command(
            f"INSERT INTO merges VALUES ('{EMAIL}', '{USER}', 'l1', '2026-01-05 09:00:00', 0, 7)"
        )
        migrate(clickhouse)
        there = client.query("SELECT * FROM identity").result_rows
        assert there == [(EMAIL, USER)]
    log = Log(clickhouse)
    log.tell(regrouped(2, EMAIL, EMAIL))
    with connect(clickhouse) as client:
        assert client.query("SELECT * FROM identity").result_rows == []
