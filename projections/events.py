"""What the event log becomes: itself, touchpoints, order lines, moves and places.

Each touchpoint is one row, under the customer it first came to: a copy that the
fold forwarded after a merge is skipped, the view `events` follows the merge instead.
"""

from __future__ import annotations

from typing import Any

from projections import log, moves, order_lines, places, touchpoints
from projections.rows.events import EventRows
from projections.table import Projected


def _lines(event: dict[str, Any], partition: int, offset: int) -> Projected:
    rows = order_lines.to_rows(event, partition, offset)
    return [(order_lines.TABLE, line) for line in rows]


def _moved(event: dict[str, Any], partition: int, offset: int) -> Projected:
    return (
        (moves.TABLE, moves.to_row(event, partition, offset)),
        (places.TABLE, places.to_row(event, partition, offset)),
    )


project = EventRows(
    log.TABLE,
    touchpoints.TABLE,
    {"order_placed": _lines, "customer_merged": _moved, "customer_regrouped": _moved},
).project
