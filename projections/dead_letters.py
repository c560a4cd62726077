"""The `dead_letters` and `redrives` read models: what was refused, and what was sent again."""

from __future__ import annotations

from models.dead_letter import DeadLetter, redriven
from projections.rows.kinds import LABEL, MILLISECONDS, POSITION
from projections.table import Projected, Record, Table

TABLE = Table(
    name="dead_letters",
    columns={
        "at": MILLISECONDS,
        "reason": LABEL,
        "field": "String",
        "detail": "String",
        "source": "String",
        "key": "String",
        "value": "String",
        "headers": "Map(LowCardinality(String), String)",
        **POSITION,
    },
    engine="ReplacingMergeTree(log_offset)",
    order_by="at, source, log_partition, log_offset",
    partition_by="toYYYYMM(at)",
)
REDRIVES = Table(
    name="redrives",
    columns={"letter_offset": "UInt64", "at": MILLISECONDS, **POSITION},
    engine="ReplacingMergeTree(log_offset)",
    order_by="letter_offset",
)


def project(record: Record) -> Projected:
    """Return the row of one record of `dead-letters`."""
    offset = redriven(record.headers)
    if offset is not None:
        return ((REDRIVES, (offset, record.timestamp, record.partition, record.offset)),)
    letter = DeadLetter.of(record.headers)
    row = (
        record.timestamp,
        letter.reason,
        letter.where,
        letter.detail,
        letter.source,
        _text(record.key),
        _text(record.value),
        {name: _text(value) for name, value in letter.headers},
        record.partition,
        record.offset,
    )
    return ((TABLE, row),)


def _text(value: bytes | None) -> str:
    # Whatever came: what is no UTF-8 is shown as \xff. The topic keeps the bytes.
    return (value or b"").decode("utf-8", "backslashreplace")
