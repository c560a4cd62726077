"""The `log` read model: every record of `events`, whole, in the order of its customer's partition.

What a profile as of a time is folded from. It holds all that a person ever said or did, so
no analyst may read it, and no view is made of it.
"""

from __future__ import annotations

from typing import Any

from projections.table import LABEL, MILLISECONDS, POSITION, Record, Row, Table

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


def to_row(
    event: dict[str, Any], record: Record, times: tuple[object, object], direct: bool
) -> Row:
    """Lay a record and its event out in the table's column order.

    `times`: when it happened and when it was received, ms since 1970.
    """
    return (
        event["customer_id"],
        record.partition,
        record.offset,
        event["type"],
        event["event_id"],
        *times,
        direct,
        record.value,
    )
