"""The `order_lines` read model: one row for each product of an order."""

from __future__ import annotations

from typing import Any, Final

from models.events import OrderPlaced
from projections.rows.kinds import LABEL, MILLISECONDS, MONEY, POSITION
from projections.rows.times import milliseconds
from projections.table import FIRST, Row, Table

TABLE = Table(
    name="order_lines",
    columns={
        "customer_id": "String",
        "occurred_at": MILLISECONDS,
        "event_id": "String",
        "source": LABEL,
        "line": "UInt16",
        "order_id": "String",
        "channel": LABEL,
        "sku": "String",
        "name": "String",
        "category": LABEL,
        "brand": LABEL,
        "variant": LABEL,
        "quantity": "UInt32",
        "price": MONEY,
        "cost": f"Nullable({MONEY})",
        "discount": f"Nullable({MONEY})",
        "currency": LABEL,
        **POSITION,
    },
    engine=FIRST,
    order_by="customer_id, event_id, source, line",
)
# The log leaves defaults out.
_CHANNEL: Final = str(OrderPlaced.model_fields["channel"].default)


def to_rows(event: dict[str, Any], partition: int, offset: int) -> list[Row]:
    """Lay the lines of an `order_placed` event out, numbered from 1."""
    at = milliseconds(event["occurred_at"])
    channel = event.get("channel", _CHANNEL)
    source = event.get("source", "")
    return [
        (
            event["customer_id"],
            at,
            event["event_id"],
            source,
            number,
            event["order_id"],
            channel,
            line["sku"],
            line.get("name") or "",
            line.get("category") or "",
            line.get("brand") or "",
            line.get("variant") or "",
            line.get("quantity", 1),
            line["price"]["amount"],
            (line.get("cost") or {}).get("amount"),
            (line.get("discount") or {}).get("amount"),
            line["price"]["currency"],
            partition,
            offset,
        )
        for number, line in enumerate(event.get("lines", ()), start=1)
    ]
