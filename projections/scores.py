"""The `scores` read model: every prediction, with what it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.records import Reason, Score
from projections.rows.kinds import LABEL, MILLISECONDS, POSITION
from projections.rows.scores import ScoreRows
from projections.table import Table, to_ms

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


project = ScoreRows(TABLE).project


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
