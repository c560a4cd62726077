"""What the event log becomes: itself, touchpoints, order lines, moves and places.

Each touchpoint is one row, under the customer it first came to: a copy that the
fold forwarded after a merge is skipped, the view `events` follows the merge instead.
"""

from __future__ import annotations

from models.events.codec import LEAN, TOUCHPOINTS
from models.topics import EVENTS
from projections import log, moves, order_lines, places, touchpoints
from projections.table import Projected, Record, Row, Table
from projections.touchpoints import milliseconds

_FORWARDED = f"{EVENTS.name}/"
_OF_THE_STREAM = frozenset(
    str(kind.model_fields["type"].default) for kind in LEAN if kind not in TOUCHPOINTS
)
# A touchpoint's row has read its times: they need not be read twice.
_OCCURRED, _RECEIVED = map(touchpoints.TABLE.names.index, ("occurred_at", "received_at"))


def project(record: Record) -> Projected:
    """Return the rows of one record of `events`."""
    if record.value is None:
        raise ValueError("no event: a null value")
    partition, offset = record.partition, record.offset
    event = touchpoints.read(record.value)
    kind = event["type"]
    direct = kind not in _OF_THE_STREAM and not event.get("origin", "").startswith(_FORWARDED)
    rows: list[tuple[Table, Row]]
    if direct:
        row = touchpoints.to_row(event, partition, offset)
        times = (row[_OCCURRED], row[_RECEIVED])
        rows = [(log.TABLE, log.to_row(event, record, times, True)), (touchpoints.TABLE, row)]
        if kind == "order_placed":
            for line in order_lines.to_rows(event, partition, offset):
                rows.append((order_lines.TABLE, line))
        return rows
    times = (milliseconds(event["occurred_at"]), milliseconds(event["received_at"]))
    rows = [(log.TABLE, log.to_row(event, record, times, False))]
    if kind == "customer_merged" or kind == "customer_regrouped":
        rows.append((moves.TABLE, moves.to_row(event, partition, offset)))
        rows.append((places.TABLE, places.to_row(event, partition, offset)))
    return rows
