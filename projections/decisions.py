"""The `decisions` read model: what was offered, with which probability, and to whom not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from models.records import Decision, unpack
from projections.rows.kinds import LABEL, MILLISECONDS, POSITION
from projections.table import Projected, Record, Row, Table, to_ms

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
        "arm": LABEL,
        "campaign": LABEL,
        "propensity": "Float64",
        "propensities": "Map(LowCardinality(String), Float64)",
        "means": "Map(LowCardinality(String), Float64)",
        "deviations": "Map(LowCardinality(String), Float64)",
        "margins": "Map(LowCardinality(String), Float64)",
        "model_version": "UInt64",
        "policy": LABEL,
        "holdout": "UInt8",
        "held": f"Array({LABEL})",
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
        decision.arm,
        decision.campaign,
        decision.propensity,
        decision.propensities,
        _by_arm(decision, decision.means),
        _by_arm(decision, decision.deviations),
        _by_arm(decision, decision.margins),
        decision.model_version,
        decision.policy,
        int(decision.holdout),
        decision.held,
        unpack(decision.features),
        partition,
        offset,
    )


def _by_arm(decision: Decision, said: list[float]) -> dict[str, float]:
    """Return what is said of each eligible arm, or nothing where nothing was drawn."""
    return dict(zip(decision.propensities, said, strict=True)) if said else {}


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
        arm=row["arm"],
        campaign=row["campaign"],
        propensity=row["propensity"],
        propensities=row["propensities"],
        means=[row["means"][arm] for arm in row["propensities"] if row["means"]],
        deviations=[row["deviations"][arm] for arm in row["propensities"] if row["deviations"]],
        margins=[row["margins"][arm] for arm in row["propensities"] if row["margins"]],
        model_version=row["model_version"],
        policy=row["policy"],
        holdout=bool(row["holdout"]),
        held=list(row["held"]),
    )
