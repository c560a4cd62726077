"""The `log` read model: every record of `events`, whole, in the order of its customer's partition.

What a profile as of a time is folded from. It holds all that a person ever said or did, so
no analyst may read it, and no view is made of it.
"""

from __future__ import annotations

from projections.rows.kinds import LABEL, MILLISECONDS, POSITION
from projections.table import Table

TABLE = Table(
    name="log",
    columns={
        "customer_id": "String",
        **POSITION,
        "type": LABEL,
        "event_id": "String",
        "occurred_at": MILLISECONDS,
        "received_at": MILLISECONDS,
        "direct": "UInt8",
        "body": "String",
    },
    engine="ReplacingMergeTree",
    order_by="customer_id, log_partition, log_offset",
)
