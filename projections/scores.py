"""The `scores` read model: every prediction, with what it was made from."""

from __future__ import annotations

import msgspec

from models.records import Score, unpack
from projections.table import LABEL, MILLISECONDS, POSITION, Projected, Record, Row, Table

TABLE = Table(
    name="scores",
    columns={
        "customer_id": "String",
        "model": LABEL,
        "at": MILLISECONDS,
        "score_id": "String",
        "model_version": "UInt64",
        "cause": "String",
        "probability": "Float64",
        "band": LABEL,
        "horizon_days": "UInt16",
        "reasons.feature": "Array(LowCardinality(String))",
        "reasons.contribution": "Array(Float64)",
        "reasons.value": "Array(Float64)",
        "features": "Map(LowCardinality(String), Float64)",
        **POSITION,
    },
    engine="ReplacingMergeTree(log_offset)",
    order_by="customer_id, model, at, score_id",
    partition_by="toYYYYMM(at)",
)
_decoder = msgspec.json.Decoder(Score)


def project(record: Record) -> Projected:
    """Return the row of one record of `scores`."""
    score = _decoder.decode(record.value or b"")
    return ((TABLE, to_row(score, record.partition, record.offset)),)


def to_row(score: Score, partition: int, offset: int) -> Row:
    """Lay a score out in the table's column order."""
    return (
        score.customer_id,
        score.model,
        score.at_ms,
        score.score_id,
        score.model_version,
        score.cause,
        score.probability,
        score.band,
        score.horizon_days,
        [reason.feature for reason in score.reasons],
        [reason.contribution for reason in score.reasons],
        [reason.value for reason in score.reasons],
        unpack(score.features),
        partition,
        offset,
    )
