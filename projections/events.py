"""What the event log becomes: touchpoints, order lines and merges.

Each touchpoint is one row, under the customer it first came to: a copy that the
fold forwarded after a merge is skipped, the view `events` follows the merge instead.
"""

from __future__ import annotations

from models.topics import EVENTS
from projections import merges, order_lines, touchpoints
from projections.table import Projected, Record, Row, Table

_FORWARDED = f"{EVENTS.name}/"
_OF_THE_STREAM = frozenset(
    {"customer_absorbed", "customer_regrouped", "customer_refolded", "timer_fired"}
)


def project(record: Record) -> Projected:
    """Return the rows of one record of `events`."""
    if record.value is None:
        raise ValueError("no event: a null value")
    event = touchpoints.read(record.value)
    kind = event["type"]
    if kind == "customer_merged":
        return ((merges.TABLE, merges.to_row(event, record.partition, record.offset)),)
    if kind in _OF_THE_STREAM or event.get("origin", "").startswith(_FORWARDED):
        return ()
    row = touchpoints.to_row(event, record.partition, record.offset)
    rows: list[tuple[Table, Row]] = [(touchpoints.TABLE, row)]
    if kind == "order_placed":
        for line in order_lines.to_rows(event, record.partition, record.offset):
            rows.append((order_lines.TABLE, line))
    return rows
