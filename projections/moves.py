"""The `identity_moves` read model: merges, and the places that unmerges gave: who went to whom.

The resolver's order is the order: of a customer's moves the one with the highest offset on
identity-links says where it is now. Views follow them, so rows written before need no rewriting.
"""

from __future__ import annotations

from typing import Any

from projections.rows.kinds import LABEL, MILLISECONDS, POSITION
from projections.rows.times import milliseconds
from projections.table import Row, Table

TABLE = Table(
    name="identity_moves",
    columns={
        "customer_id": "String",
        "link_offset": "Int64",
        "at": MILLISECONDS,
        "kind": LABEL,
        "root": "String",
        "others": "UInt32",
        "generation": "Int64",
        "cause": "String",
        "by": "String",
        "reason": "String",
        **POSITION,
    },
    engine="ReplacingMergeTree(log_offset)",
    order_by="customer_id, link_offset",
)


def to_row(event: dict[str, Any], partition: int, offset: int) -> Row:
    """Lay a `customer_merged` or `customer_regrouped` event out in the table's column order."""
    merged = event["type"] == "customer_merged"
    return (
        event["customer_id"],
        event.get("origin_offset", -1),
        milliseconds(event["occurred_at"]),
        "merged" if merged else "regrouped",
        event["winner" if merged else "root"],
        0 if merged else event["others"],
        event.get("generation", -1),
        event["link_id" if merged else "unmerge_id"],
        event.get("by", ""),
        event.get("reason", ""),
        partition,
        offset,
    )
