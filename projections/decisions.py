"""The `decisions` read model: what was offered, with which probability, and to whom not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from models.records import Decision, unpack
from projections.table import LABEL, MILLISECONDS, POSITION, Projected, Record, Row, Table, to_ms

TABLE = Table(
    name="decisions",
    columns={
        "customer_id": "String",
        "at": MILLISECONDS,
        "decision_id": "String",
        "expires": MILLISECONDS,
        "cause": "String",
        "offer": LABEL,
        "channel": LABEL,
        "propensity": "Float64",
        "propensities": "Map(LowCardinality(String), Float64)",
        "model_version": "UInt64",
        "policy": LABEL,
        "holdout": "UInt8",
        "features": "Map(LowCardinality(String), Float64)",
        **POSITION,
    },
    engine="ReplacingMergeTree(log_offset)",
    order_by="customer_id, at, decision_id",
    partition_by="toYYYYMM(at)",
)
_decoder = msgspec.json.Decoder(Decision)


def project(record: Record) -> Projected:
    """Return the row of one record of `decisions`."""
    decision = _decoder.decode(record.value or b"")
    return ((TABLE, to_row(decision, record.partition, record.offset)),)


def to_row(decision: Decision, partition: int, offset: int) -> Row:
    """Lay a decision out in the table's column order."""
    return (
        decision.customer_id,
        decision.at_ms,
        decision.decision_id,
        decision.expires_ms,
        decision.cause,
        decision.offer,
        decision.channel or "",
        decision.propensity,
        decision.propensities,
        decision.model_version,
        decision.policy,
        int(decision.holdout),
        unpack(decision.features),
        partition,
        offset,
    )


def from_row(row: Mapping[str, Any]) -> Decision:
    """Return the decision that a row tells, but its features: they are the row's own."""
    return Decision(
        decision_id=row["decision_id"],
        customer_id=row["customer_id"],
        at_ms=to_ms(row["at"]),
        expires_ms=to_ms(row["expires"]),
        cause=row["cause"],
        offer=row["offer"],
        channel=row["channel"] or None,
        propensity=row["propensity"],
        propensities=row["propensities"],
        model_version=row["model_version"],
        policy=row["policy"],
        holdout=bool(row["holdout"]),
    )
