"""The `places` read model: who was ever told to belong to whom, found by whom.

The log tells each customer's own places; this is the way back, from a root to those that
may be its members. Whether they are, as of a time, their own records in `log` say.
"""

from __future__ import annotations

from typing import Any

from projections.rows.kinds import POSITION
from projections.table import Row, Table

TABLE = Table(
    name="places",
    columns={"root": "String", "customer_id": "String", **POSITION},
    engine="ReplacingMergeTree(log_offset)",
    order_by="root, customer_id",
)


def to_row(event: dict[str, Any], partition: int, offset: int) -> Row:
    """Lay a `customer_merged` or `customer_regrouped` event out in the table's column order."""
    root = event["winner"] if event["type"] == "customer_merged" else event["root"]
    return (root, event["customer_id"], partition, offset)
