"""Rows of `scores`: what a prediction says, in the columns' order."""

from __future__ import annotations

from typing import Any

from projections.rows.score_part import read


class ScoreRows:
    """Makes the row of a record; the table lies outside, and is told once."""

    def __init__(self, table: object) -> None:
        self._table = table

    def project(self, record: Any) -> list[Any]:
        """Return the row of a record, with its table. Raises msgspec.ValidationError."""
        score, features = read(record.value or b"")
        return [(self._table, to_row(score, features, record.partition, record.offset))]


def to_row(score: Any, features: object, partition: int, offset: int) -> tuple[object, ...]:
    """Lay a score and its features, by name or by place, out in the table's column order."""
    reasons: list[Any] = score.reasons
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
        [one.feature for one in reasons],
        [one.contribution for one in reasons],
        [one.value for one in reasons],
        [one.usual for one in reasons],
        [one.about for one in reasons],
        features,
        partition,
        offset,
    )
