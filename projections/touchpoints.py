"""The `touchpoints` read model: what customers did, with typed hot columns."""

from __future__ import annotations

from projections.rows.touchpoint_columns import COLUMNS
from projections.table import FIRST, Table

TABLE = Table(
    name="touchpoints",
    columns=COLUMNS,
    engine=FIRST,
    # What names an event, none of what follows from receipt: all tries of a sender are one row.
    order_by="customer_id, event_id, source",
)
