"""What was: the log and the ledgers in ClickHouse, read for a profile as of a time.

It only reads, and every value is bound. A row that was written twice is told by its position,
so no read pays for FINAL.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from threading import Lock
from typing import Any, Final, NamedTuple

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from models.asof import MOVES, Edge, Entry
from models.events.base import Identifier
from models.events.clock import MAX_MS
from models.identity import customer_id_of
from models.records import Decision, Score
from projections import decisions, scores
from projections.client import is_away, is_behind
from projections.table import Table

# Nothing asked from here may write, or hold the server up.
READ_ONLY: Final[dict[str, Any]] = {"readonly": 2, "max_execution_time": 20}

_PATHS: Final = """
SELECT customer_id, log_partition, log_offset, body, '' AS root
FROM log
WHERE customer_id IN {ids:Array(String)} AND type IN {types:Array(String)}
UNION ALL
SELECT DISTINCT customer_id, 0, 0, '', root
FROM places
WHERE root IN {ids:Array(String)}
"""
_RECORDS: Final = """
SELECT log_partition, log_offset,
    if(direct AND received_at <= fromUnixTimestamp64Milli({known:Int64}, 'UTC'), body, '') AS body
FROM log
WHERE customer_id IN {ids:Array(String)}
"""
# Who is named is found by any record, as a live customer is; who carried it by an event of theirs.
_KNOWN_AS: Final = """
SELECT customer_id
FROM log
WHERE customer_id IN {ids:Array(String)}
    AND received_at <= fromUnixTimestamp64Milli({known:Int64}, 'UTC')
    AND (customer_id = {named:String} OR direct AND has(
        arrayConcat(
            JSONExtract(body, 'identifiers', 'Array(Tuple(type String, value String))'),
            JSONExtract(body, 'previous', 'Array(Tuple(type String, value String))')
        ),
        ({type:String}, {value:String})
    ))
ORDER BY customer_id = {named:String} DESC, least(occurred_at, received_at), customer_id
LIMIT 1
"""
_NEWEST: Final = """
SELECT *
FROM {ledger:Identifier}
WHERE customer_id IN {ids:Array(String)} AND at <= fromUnixTimestamp64Milli({at:Int64}, 'UTC')
ORDER BY at DESC, log_partition DESC, log_offset DESC
LIMIT 1
"""
# A prediction or decision was known as soon as its cause was.
_NEWEST_KNOWN: Final = """
SELECT *
FROM {ledger:Identifier}
WHERE customer_id IN {ids:Array(String)} AND at <= fromUnixTimestamp64Milli({at:Int64}, 'UTC')
    AND cause IN (
        SELECT event_id FROM log
        WHERE customer_id IN {ids:Array(String)}
            AND received_at <= fromUnixTimestamp64Milli({known:Int64}, 'UTC')
    )
ORDER BY at DESC, log_partition DESC, log_offset DESC
LIMIT 1
"""
_EDGES: Final = """
SELECT DISTINCT episode_id, rule, status, toUnixTimestamp64Milli(at) AS at_ms, outcome
FROM alerts
WHERE customer_id IN {ids:Array(String)} AND at <= fromUnixTimestamp64Milli({at:Int64}, 'UTC')
    AND received_at <= fromUnixTimestamp64Milli({known:Int64}, 'UTC')
ORDER BY at_ms, status = 'closed'
"""


class PastUnavailableError(RuntimeError):
    """ClickHouse does not answer, or has not the tables."""


class Paths(NamedTuple):
    """What leads from customer to customer."""

    moves: dict[str, list[Entry]]  # by customer: the records that gave it its places
    led: dict[str, set[str]]  # by root: who was ever told to belong to it


class Records(NamedTuple):
    """What was read of the log."""

    entries: list[Entry]  # direct events
    complete_until: dict[int, int]  # by partition: newest offset that is there, all before it too


class Past:
    """Asks ClickHouse. Safe in several threads at once.

    Times are ms since 1970, None: no bound. Every method raises PastUnavailableError.
    """

    def __init__(self, connect: Callable[[], Client]) -> None:
        self._connect = connect
        self._client: Client | None = None
        self._connecting = Lock()

    def paths(self, ids: Collection[str]) -> Paths:
        """Return what leads from these customers, and to them."""
        found = Paths(defaultdict(list), defaultdict(set))
        for customer_id, *entry, root in self._rows(_PATHS, ids, types=list(MOVES)):
            if root:
                found.led[root].add(customer_id)
            else:
                found.moves[customer_id].append(Entry(*entry))
        return found

    def records(self, ids: Collection[str], known_ms: int | None) -> Records:
        """Return what came under these customers' own names, and had reached the log by then."""
        rows = self._rows(_RECORDS, ids, known=_bound(known_ms))
        until: dict[int, int] = {}
        for partition, offset, _ in rows:
            if offset > until.get(partition, -1):
                until[partition] = offset
        return Records([Entry(*row) for row in rows if row[2]], until)

    def known_as(self, identifier: Identifier, ids: Collection[str], known_ms: int) -> str | None:
        """Return whom an identifier led to, as the log had it by then; None: to nobody.

        The one that it names, else of `ids` the one who had it first.
        """
        named = customer_id_of(identifier)
        said = {"named": named, "type": identifier.type.value, "value": identifier.value}
        rows = self._rows(_KNOWN_AS, {named, *ids}, known=known_ms, **said)
        return rows[0][0] if rows else None

    def score(self, ids: Collection[str], at_ms: int | None, known_ms: int | None) -> Score | None:
        """Return the newest churn score of these customers, recorded by then."""
        row = self._newest(scores.TABLE, ids, at_ms, known_ms)
        return None if row is None else scores.from_row(row)

    def decision(
        self, ids: Collection[str], at_ms: int | None, known_ms: int | None
    ) -> Decision | None:
        """Return the newest decision for these customers, recorded by then."""
        row = self._newest(decisions.TABLE, ids, at_ms, known_ms)
        return None if row is None else decisions.from_row(row)

    def edges(self, ids: Collection[str], at_ms: int | None, known_ms: int | None) -> list[Edge]:
        """Return how these customers' episodes began and ended, in the order of their times."""
        rows = self._rows(_EDGES, ids, at=_bound(at_ms), known=_bound(known_ms))
        return [Edge(*row) for row in rows]

    def _newest(
        self, ledger: Table, ids: Collection[str], at_ms: int | None, known_ms: int | None
    ) -> dict[str, Any] | None:
        bounds = {"ledger": ledger.name, "ids": list(ids), "at": _bound(at_ms)}
        if known_ms is None:
            result = self._query(_NEWEST, bounds)
        else:
            result = self._query(_NEWEST_KNOWN, bounds | {"known": known_ms})
        return next(iter(result.named_results()), None)

    def _rows(self, sql: str, ids: Collection[str], **bounds: object) -> list[tuple[Any, ...]]:
        return list(self._query(sql, {"ids": list(ids), **bounds}).result_rows)

    def _query(self, sql: str, parameters: dict[str, Any]) -> Any:
        try:
            with self._connecting:
                if self._client is None:
                    self._client = self._connect()
                client = self._client
            return client.query(
                sql, parameters, settings=READ_ONLY, column_formats={"body": "bytes"}
            )
        except (ClickHouseError, OSError) as error:
            if is_away(error) or is_behind(error):
                said = " ".join(str(error).split("Stack trace", 1)[0].split())[:300]
                raise PastUnavailableError(said) from error
            raise


class Ahead:
    """What leads from customer to customer, asked at once for those who most likely matter."""

    def __init__(self, past: Past, likely: Collection[str]) -> None:
        self._past = past
        self._asked: set[str] = set()
        self._moves: dict[str, list[Entry]] = {}
        self._led: dict[str, set[str]] = {}
        self._ask(likely)

    def moves_of(self, ids: Collection[str]) -> dict[str, list[Entry]]:
        """Return the records that gave these customers their places, by customer."""
        self._ask(ids)
        return {one: self._moves.get(one, []) for one in ids}

    def led_to(self, ids: Collection[str]) -> set[str]:
        """Return who was ever told to belong to one of these customers."""
        self._ask(ids)
        return {told for one in ids for told in self._led.get(one, ())}

    def _ask(self, ids: Collection[str]) -> None:
        if missing := [one for one in ids if one not in self._asked]:
            self._asked.update(missing)
            found = self._past.paths(missing)
            self._moves |= found.moves
            self._led |= found.led


def _bound(until_ms: int | None) -> int:
    return MAX_MS if until_ms is None else until_ms
