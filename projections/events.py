"""What the event log becomes: itself, touchpoints, order lines, moves and places.

Each touchpoint is one row, under the customer it first came to: a copy that the
fold forwarded after a merge is skipped, the view `events` follows the merge instead.
"""

from __future__ import annotations

from models.topics import EVENTS
from projections import log, moves, order_lines, places, touchpoints
from projections.table import Projected, Record, Row, Table

_FORWARDED = f"{EVENTS.name}/"
_OF_THE_STREAM = frozenset(
    {
        "customer_merged",
        "customer_absorbed",
        "customer_regrouped",
        "customer_refolded",
        "episodes_returned",
        "timer_fired",
    }
)


def project(record: Record) -> Projected:
    """Return the rows of one record of `events`."""
    value = record.value
    if value is None:
        raise ValueError("no event: a null value")
    partition, offset = record.partition, record.offset
    event = touchpoints.read(value)
    kind = event["type"]
    direct = kind not in _OF_THE_STREAM and not event.get("origin", "").startswith(_FORWARDED)
    rows: list[tuple[Table, Row]] = [
        (log.TABLE, log.to_row(event, partition, offset, direct, value))
    ]
    if direct:
        rows.append((touchpoints.TABLE, touchpoints.to_row(event, partition, offset)))
        if kind == "order_placed":
            for line in order_lines.to_rows(event, partition, offset):
                rows.append((order_lines.TABLE, line))
    elif kind == "customer_merged" or kind == "customer_regrouped":
        rows.append((moves.TABLE, moves.to_row(event, partition, offset)))
        rows.append((places.TABLE, places.to_row(event, partition, offset)))
    return rows
