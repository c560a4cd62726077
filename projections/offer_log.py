"""Decisions and what became of them, as columns: what policies are judged by.

Read in portions of ClickHouse, sorted there by customer, so memory stays the same however many
there are. Every value is bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import numpy as np
from clickhouse_connect.driver.client import Client

from models.catalogue import NONE
from models.offpolicy import Logged

PORTION: Final = 8_192
MOST_ARMS: Final = 200
MOST_FEATURES: Final = 64  # those told most often; a reward model needs no more
_SETTINGS: Final[dict[str, Any]] = {
    "readonly": 2,
    "max_block_size": PORTION,
    "join_algorithm": "grace_hash",  # on disk, when there are many
    "max_bytes_before_external_sort": 500_000_000,
}
_WHEN: Final = (
    "at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')"
    " AND at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')"
)
_COUNTS: Final = f"""
SELECT count() AS made, countIf(holdout = 1) AS control,
    countIf(holdout = 0 AND propensities[toString(arm)] <= 0) AS unusable,
    countIf(decision_id IN (SELECT decision_id FROM outcomes WHERE {_WHEN})) AS ended,
    min(at) AS first, max(at) AS last
FROM decisions FINAL WHERE {_WHEN}
"""  # noqa: S608
_NAMES: Final = f"""
SELECT toString(arrayJoin(mapKeys({{of:Identifier}}))) AS name FROM decisions
WHERE holdout = 0 AND {_WHEN}
GROUP BY name ORDER BY count() DESC, name LIMIT {{most:UInt32}}
"""  # noqa: S608
_OWN: Final = (
    "cityHash64(if(identity.customer_id = '', decision.customer_id, identity.customer_id))"
)
_JOINED: Final = f"""
FROM (SELECT * FROM decisions FINAL WHERE {_WHEN}) AS decision
INNER JOIN (SELECT decision_id, margin - cost AS earned FROM outcomes FINAL WHERE {_WHEN})
    AS outcome ON outcome.decision_id = decision.decision_id
LEFT JOIN identity ON identity.merged_id = decision.customer_id
"""  # noqa: S608


def _columns(of: str, names: str) -> str:
    known = f"mapContains(decision.{of}, name)"
    return (
        f"arrayMap(name -> if({known}, decision.{of}[name], nan), {{{names}:Array(String)}})"
        f" AS {of}_columns"
    )


_DECISIONS: Final = f"""
SELECT {_OWN} AS customer, indexOf({{arms:Array(String)}}, toString(decision.arm)) - 1 AS chosen,
    outcome.earned AS earned,
    arrayMap(name -> decision.propensities[name], {{arms:Array(String)}}) AS chances,
    {_columns("means", "arms")}, {_columns("deviations", "arms")}, {_columns("margins", "arms")},
    {_columns("features", "features")}
{_JOINED}
WHERE decision.holdout = 0 AND decision.propensities[toString(decision.arm)] > 0
ORDER BY customer, decision.at, decision.decision_id
"""
_CUSTOMERS: Final = f"""
SELECT any(control), sum(earned), argMin(features_columns, at)
FROM (
    SELECT {_OWN} AS customer, decision.at AS at, outcome.earned AS earned,
        if({{campaign:String}} = '', decision.holdout = 1, has(decision.held, {{campaign:String}}))
            AS control,
        {_columns("features", "features")}
    {_JOINED}
    WHERE {{campaign:String}} = '' OR decision.holdout = 0
)
GROUP BY customer HAVING uniqExact(control) = 1
"""  # noqa: S608
_CAMPAIGNS: Final = f"""
SELECT DISTINCT toString(arrayJoin(arrayPushBack(held, campaign))) AS name
FROM decisions WHERE {_WHEN} AND name != '' ORDER BY name
"""  # noqa: S608


_NTH: Final = (
    "SELECT toUnixTimestamp64Milli(at) FROM outcomes ORDER BY at DESC LIMIT 1 OFFSET {skip:UInt64}"
)


class Span(NamedTuple):
    """Decisions made from `since` to before `until`, ms since 1970."""

    since: int
    until: int


def newest(client: Client, now_ms: int, most: int) -> Span:
    """Return the span of the newest `most` decisions with an outcome, and of those as old."""
    rows = client.query(_NTH, {"skip": most - 1}, settings=_SETTINGS).result_rows
    return Span(rows[0][0] if rows else 0, now_ms)


class Counts(NamedTuple):
    """How many decisions there are, and how many of them can be judged by."""

    made: int
    control: int  # about control customers: nothing was drawn
    unusable: int  # from before propensities were told by arm
    ended: int  # their windows have
    first: datetime | None
    last: datetime | None


class TooManyArmsError(RuntimeError):
    """More arms than are judged at once; a shorter span has fewer."""


class OfferLog:
    """The decisions of a span. Each method raises clickhouse_connect's errors."""

    def __init__(self, client: Client, span: Span) -> None:
        self._client = client
        self._span = span._asdict()
        names = self._names("propensities", MOST_ARMS + 1)
        if len(names) > MOST_ARMS:
            raise TooManyArmsError(f"over {MOST_ARMS} arms were drawn from: judge a shorter span")
        self.arms = [NONE, *sorted(name for name in names if name != NONE)]
        self.features = sorted(self._names("features", MOST_FEATURES))

    def counts(self) -> Counts:
        """Count the decisions."""
        made, control, unusable, ended, first, last = self._client.query(
            _COUNTS, self._span, settings=_SETTINGS
        ).first_row
        times = (first.replace(tzinfo=UTC), last.replace(tzinfo=UTC)) if made else (None, None)
        return Counts(made, control, unusable, ended, *times)

    def read(self) -> Iterator[Logged]:
        """Yield the decisions that have an outcome, customer by customer, in portions."""
        given = {"arms": self.arms, "features": self.features}
        for columns in self._blocks(_DECISIONS, given):
            customers, chosen, earned, chances, means, deviations, margins, features = columns
            yield Logged(
                customers=np.array(customers, np.uint64),
                chosen=np.array(chosen, np.intp),
                rewards=np.array(earned, np.float64),
                propensities=_table(chances, len(self.arms)),
                means=_table(means, len(self.arms)),
                deviations=_table(deviations, len(self.arms)),
                margins=_table(margins, len(self.arms)),
                features=_table(features, len(self.features)),
            )

    def campaigns(self) -> list[str]:
        """Return the campaigns of the decisions."""
        rows = self._client.query(_CAMPAIGNS, self._span, settings=_SETTINGS).result_rows
        return [name for (name,) in rows]

    def customers(self, campaign: str) -> Iterator[tuple[Any, Any, Any]]:
        """Yield portions: who is a control, what he earned, what was known at his first decision.

        Of one campaign, or of all offers ("").
        """
        given = {"campaign": campaign, "features": self.features}
        for control, earned, features in self._blocks(_CUSTOMERS, given):
            yield (
                np.array(control, np.float64),
                np.array(earned, np.float64),
                _table(features, len(self.features)),
            )

    def _names(self, of: str, most: int) -> list[str]:
        given = {"of": of, "most": most, **self._span}
        return [
            name for (name,) in self._client.query(_NAMES, given, settings=_SETTINGS).result_rows
        ]

    def _blocks(self, sql: str, given: dict[str, Any]) -> Iterator[Sequence[Any]]:
        stream = self._client.query_column_block_stream(sql, given | self._span, settings=_SETTINGS)
        with stream:
            yield from stream


def _table(rows: Sequence[Sequence[float]], width: int) -> Any:
    return np.array(rows, np.float64).reshape(len(rows), width)
