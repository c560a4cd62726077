"""The `identity_links` read model: what was linked, by which event or whom, and what was unmerged.

A link that is seen again is the same link: the newest sight of it is kept.
"""

from __future__ import annotations

from models.links import Link, decode_link
from projections.rows.kinds import LABEL, MILLISECONDS, POSITION
from projections.table import Projected, Record, Row, Table

TABLE = Table(
    name="identity_links",
    columns={
        "customer_id": "String",
        "link_id": "String",
        "kind": LABEL,
        "type": LABEL,
        "other": "String",
        "other_type": LABEL,
        "event_id": "String",
        "at": MILLISECONDS,
        "received_at": MILLISECONDS,
        "by": "String",
        "reason": "String",
        **POSITION,
    },
    engine="ReplacingMergeTree(log_offset)",
    order_by="customer_id, link_id",
)


def project(record: Record) -> Projected:
    """Return the row of one record of `identity-links`. Raises ValueError when it is none."""
    return ((TABLE, to_row(record.value or b"", record.partition, record.offset)),)


def to_row(value: bytes, partition: int, offset: int) -> Row:
    """Lay a link or an unmerge out in the table's column order."""
    said = decode_link(value)
    if isinstance(said, Link):
        who: Row = (said.left, said.link_id, said.kind, said.left_type)
        other: Row = (said.right, said.right_type, said.event_id)
    else:
        who = (said.customer, said.unmerge_id, "unmerged", "")
        other = ("", "", said.unmerge_id)
    return (
        *who,
        *other,
        said.at_ms,
        said.received_ms,
        said.by,
        said.reason,
        partition,
        offset,
    )
