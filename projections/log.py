"""The `log` read model: every record of `events`, whole, in the order of its customer's partition.

What a profile as of a time is folded from. It holds all that a person ever said or did, so
no analyst may read it, and no view is made of it.
"""

from __future__ import annotations

from typing import Any

from projections.table import LABEL, MILLISECONDS, POSITION, Row, Table
from projections.touchpoints import milliseconds

TABLE = Table(
    name="log",
    columns={
        "customer_id": "String",
        **POSITION,
        "type": LABEL,
        "event_id": "String",
        "occurred_at": MILLISECONDS,
        "received_at": MILLISECONDS,
        "direct": "UInt8",
        "body": "String",
    },
    engine="ReplacingMergeTree",
    order_by="customer_id, log_partition, log_offset",
)


def to_row(event: dict[str, Any], partition: int, offset: int, direct: bool, body: bytes) -> Row:
    """Lay a record out in the table's column order; `body` is its value, as on the topic."""
    return (
        event["customer_id"],
        partition,
        offset,
        event["type"],
        event["event_id"],
        milliseconds(event["occurred_at"]),
        milliseconds(event["received_at"]),
        direct,
        body,
    )
