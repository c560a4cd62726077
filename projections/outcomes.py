"""The `outcomes` read model: what became of each decision by the end of its window.

The topic is the models' log: of its records, examples of the offer model alone are outcomes.
"""

from __future__ import annotations

from typing import Final

import msgspec

from models.catalogue import NONE
from models.records import Example, ModelRecord, Outcome
from projections.rows.kinds import LABEL, MILLISECONDS, POSITION
from projections.table import Projected, Record, Row, Table

TABLE = Table(
    name="outcomes",
    columns={
        "customer_id": "String",
        "at": MILLISECONDS,
        "decision_id": "String",
        "label_at": MILLISECONDS,
        "arm": LABEL,
        "offer": LABEL,
        "channel": LABEL,
        "policy": LABEL,
        "holdout": "UInt8",
        "propensity": "Float64",
        "model_version": "UInt64",
        "shown": "UInt8",
        "claimed": "UInt8",
        "reward": "Float64",
        "margin": "Float64",
        "cost": "Float64",
        **POSITION,
    },
    engine="ReplacingMergeTree(log_offset)",
    order_by="customer_id, at, decision_id",
    partition_by="toYYYYMM(at)",
)
_KEY: Final = b"offers"  # the topic's key is the model
_decoder = msgspec.json.Decoder(ModelRecord)


def project(record: Record) -> Projected:
    """Return the row of one record of `examples`; none of other models', nor of a command."""
    if record.key != _KEY:
        return ()
    said = _decoder.decode(record.value or b"")
    if not isinstance(said, Example) or said.outcome is None:
        return ()
    return ((TABLE, to_row(said, said.outcome, record.partition, record.offset)),)


def to_row(example: Example, outcome: Outcome, partition: int, offset: int) -> Row:
    """Lay an outcome out in the table's column order."""
    arm = example.arm or NONE
    offer, _, channel = arm.partition("/")
    return (
        example.customer_id,
        example.at_ms,
        outcome.decision_id,
        example.label_ms,
        arm,
        offer,
        channel,
        outcome.policy,
        int(outcome.holdout),
        example.probability,
        example.model_version,
        int(outcome.shown),
        int(outcome.claimed),
        example.label,
        outcome.margin,
        outcome.cost,
        partition,
        offset,
    )
