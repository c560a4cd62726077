"""The `identities` read model: each customer id's node in the resolver's forest, as it is now.

What was refused, and the links that hold a group together, are told by this table alone.
"""

from __future__ import annotations

from typing import Final

from models.links import Identity, decode_identity
from projections.rows.kinds import LABEL, MILLISECONDS, POSITION
from projections.table import Projected, Record, Row, Table

_TEXTS: Final = "Array(String)"
_LABELS: Final = f"Array({LABEL})"

TABLE = Table(
    name="identities",
    columns={
        "customer_id": "String",
        "type": LABEL,
        "parent": "String",
        "members": "Map(LowCardinality(String), UInt64)",
        "generation": "Int64",
        "shared": "UInt8",
        "links.other": _TEXTS,
        "links.kind": _LABELS,
        "links.state": _LABELS,
        "refusals": "Map(LowCardinality(String), UInt64)",
        "refused.link_id": _TEXTS,
        "refused.other": _TEXTS,
        "refused.reason": _LABELS,
        "refused.at": f"Array({MILLISECONDS})",
        **POSITION,
    },
    engine="ReplacingMergeTree(log_offset)",
    order_by="customer_id",
)
_NOTE: Final = b"_"  # how the keys of the resolver's own notes begin: no customer's id does


def project(record: Record) -> Projected:
    """Return the row of one record of `identities`; a note of the resolver's gives none."""
    if record.key is None or record.value is None:
        raise ValueError("an identity without a key or a value")
    if record.key.startswith(_NOTE):
        return ()
    node = decode_identity(record.value)
    return ((TABLE, to_row(record.key.decode(), node, record.partition, record.offset)),)


def to_row(customer_id: str, node: Identity, partition: int, offset: int) -> Row:
    """Lay a node out in the table's column order."""
    return (
        customer_id,
        node.type,
        node.parent,
        {} if node.parent else node.members,
        node.generation,
        int(node.shared),
        list(node.links),
        [link.kind for link in node.links.values()],
        [link.state for link in node.links.values()],
        node.refusals,
        [one.link_id for one in node.refused],
        [one.other for one in node.refused],
        [one.reason for one in node.refused],
        [one.at_ms for one in node.refused],
        partition,
        offset,
    )
