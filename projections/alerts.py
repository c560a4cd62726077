"""The `alerts` read model: the edges of every risk episode."""

from __future__ import annotations

import msgspec

from models.records import Alert
from projections.rows.kinds import LABEL, MILLISECONDS, POSITION
from projections.table import Projected, Record, Row, Table

TABLE = Table(
    name="alerts",
    columns={
        "customer_id": "String",
        "at": MILLISECONDS,
        "alert_id": "String",
        "episode_id": "String",
        "rule": LABEL,
        "status": LABEL,
        "severity": LABEL,
        "received_at": MILLISECONDS,
        "cause": "String",
        "probability": "Nullable(Float64)",
        "outcome": LABEL,
        "offer": LABEL,
        "reasons.feature": "Array(LowCardinality(String))",
        "reasons.contribution": "Array(Float64)",
        "reasons.value": "Array(Float64)",
        "reasons.usual": "Array(Nullable(Float64))",
        "reasons.about": "Array(LowCardinality(String))",
        "identifiers": "Array(String)",
        **POSITION,
    },
    engine="ReplacingMergeTree(log_offset)",
    order_by="customer_id, at, alert_id",
    partition_by="toYYYYMM(at)",
)
_decoder = msgspec.json.Decoder(Alert)


def project(record: Record) -> Projected:
    """Return the row of one record of `alerts`."""
    alert = _decoder.decode(record.value or b"")
    return ((TABLE, to_row(alert, record.partition, record.offset)),)


def to_row(alert: Alert, partition: int, offset: int) -> Row:
    """Lay an alert out in the table's column order."""
    return (
        alert.customer_id,
        alert.at_ms,
        alert.alert_id,
        alert.episode_id,
        alert.rule,
        alert.status,
        alert.severity,
        alert.received_ms,
        alert.cause,
        alert.probability,
        alert.outcome or "",
        alert.offer or "",
        [reason.feature for reason in alert.reasons],
        [reason.contribution for reason in alert.reasons],
        [reason.value for reason in alert.reasons],
        [reason.usual for reason in alert.reasons],
        [reason.about for reason in alert.reasons],
        alert.identifiers,
        partition,
        offset,
    )
