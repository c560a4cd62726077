"""The `dead_rows` read model: records that no row could be made of, whole, with the error.

Projecting goes on without them, and never silently.
"""

from __future__ import annotations

from projections.rows.kinds import LABEL, MILLISECONDS, POSITION
from projections.table import Record, Row, Table

TABLE = Table(
    name="dead_rows",
    columns={
        "topic": LABEL,
        "at": MILLISECONDS,
        "error": "String",
        "key": "String",
        "value": "String",
        **POSITION,
    },
    engine="ReplacingMergeTree(log_offset)",
    order_by="topic, log_partition, log_offset",
)


def to_row(topic: str, record: Record, error: str) -> Row:
    """Lay a refused record out in the table's column order."""
    return (
        topic,
        record.timestamp,
        error[:2_000],
        (record.key or b"").decode("utf-8", "backslashreplace"),
        (record.value or b"").decode("utf-8", "backslashreplace"),
        record.partition,
        record.offset,
    )
