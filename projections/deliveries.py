"""The `deliveries` read model: every attempt to tell somebody of an alert."""

from __future__ import annotations

import msgspec

from models.records import Delivery
from projections.rows.kinds import LABEL, MILLISECONDS, POSITION
from projections.table import Projected, Record, Row, Table

TABLE = Table(
    name="deliveries",
    columns={
        "customer_id": "String",
        "at": MILLISECONDS,
        "delivery_id": "String",
        "alert_id": "String",
        "destination": LABEL,
        "status": LABEL,
        "attempt": "UInt32",
        "http_status": "Nullable(UInt16)",
        "error": "String",
        **POSITION,
    },
    engine="ReplacingMergeTree(log_offset)",
    order_by="customer_id, alert_id, delivery_id",
    partition_by="toYYYYMM(at)",
)
_decoder = msgspec.json.Decoder(Delivery)


def project(record: Record) -> Projected:
    """Return the row of one record of `deliveries`."""
    delivery = _decoder.decode(record.value or b"")
    return ((TABLE, to_row(delivery, record.partition, record.offset)),)


def to_row(delivery: Delivery, partition: int, offset: int) -> Row:
    """Lay a delivery out in the table's column order."""
    return (
        delivery.customer_id,
        delivery.at_ms,
        delivery.delivery_id,
        delivery.alert_id,
        delivery.destination,
        delivery.status,
        delivery.attempt,
        delivery.http_status,
        delivery.error or "",
        partition,
        offset,
    )
