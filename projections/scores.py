"""The `scores` read model: every prediction, with what it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import astuple, fields

from models.records import Reason, Score, unpack
from projections.table import LABEL, MILLISECONDS, POSITION, Projected, Record, Row, Table, to_ms

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
        "horizon": LABEL,
        "base": "Float64",
        "reasons.feature": "Array(LowCardinality(String))",
        "reasons.contribution": "Array(Float64)",
        "reasons.value": "Array(Float64)",
        "reasons.usual": "Array(Nullable(Float64))",
        "reasons.about": "Array(LowCardinality(String))",
        "features": "Map(LowCardinality(String), Float64)",
        **POSITION,
    },
    engine="ReplacingMergeTree(log_offset)",
    order_by="customer_id, model, at, score_id",
    partition_by="toYYYYMM(at)",
)
_decoder = msgspec.json.Decoder(Score)
_NO_REASONS: Final[tuple[tuple[object, ...], ...]] = ((),) * len(fields(Reason))


def project(record: Record) -> Projected:
    """Return the row of one record of `scores`."""
    score = _decoder.decode(record.value or b"")
    return ((TABLE, to_row(score, record.partition, record.offset)),)


def to_row(score: Score, partition: int, offset: int) -> Row:
    """Lay a score out in the table's column order."""
    # A column a field of a reason, in its order.
    reasons = tuple(zip(*map(astuple, score.reasons), strict=True)) or _NO_REASONS
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
        score.horizon,
        score.base,
        *reasons,
        unpack(score.features),
        partition,
        offset,
    )


def from_row(row: Mapping[str, Any]) -> Score:
    """Return the score that a row tells, but its features: they are the row's own."""
    names = ("feature", "contribution", "value", "usual", "about")
    parts = zip(*(row[f"reasons.{name}"] for name in names), strict=True)
    return Score(
        score_id=row["score_id"],
        customer_id=row["customer_id"],
        model=row["model"],
        model_version=row["model_version"],
        at_ms=to_ms(row["at"]),
        cause=row["cause"],
        probability=row["probability"],
        band=row["band"],
        horizon_days=row["horizon_days"],
        horizon=row["horizon"],
        base=row["base"],
        reasons=[Reason(*part) for part in parts],
    )
