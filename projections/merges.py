"""The `merges` read model: which customer turned out to be which.

A view follows the chains (loser -> winner -> …), so rows written before a merge
need no rewriting.
"""

from __future__ import annotations

from typing import Any

from projections.table import MILLISECONDS, POSITION, Row, Table
from projections.touchpoints import milliseconds

TABLE = Table(
    name="merges",
    columns={
        "loser": "String",
        "winner": "String",
        "link_id": "String",
        "occurred_at": MILLISECONDS,
        **POSITION,
    },
    engine="ReplacingMergeTree(log_offset)",
    order_by="loser",
)


def to_row(event: dict[str, Any], partition: int, offset: int) -> Row:
    """Lay a `customer_merged` event out in the table's column order."""
    at = milliseconds(event["occurred_at"])
    return (event["loser"], event["winner"], event["link_id"], at, partition, offset)
