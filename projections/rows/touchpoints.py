"""Rows of `touchpoints`: what an event of the log says, in the columns' order.

A field that has no column of its own goes to `props` as text, or to `personal` when
it may name a person: a new kind of event needs no change here, and analysts see no PII.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import orjson

from models.upcasters import upcast
from projections.rows.fields import put, put_said, text
from projections.rows.times import milliseconds
from projections.rows.touchpoint_columns import (
    AMOUNTS,
    AT,
    BLANK,
    COLUMN_OF,
    DEFAULT_REST,
    NO_COLUMN,
    OF_CONTEXT,
    OLD,
    TEMPLATES,
)

Json = dict[str, Any]

_CUSTOMER: Final = AT["customer_id"]
_EVENT: Final = AT["event_id"]
_OCCURRED: Final = AT["occurred_at"]
_RECEIVED: Final = AT["received_at"]
_CAMPAIGN: Final = AT["campaign"]
_CAMPAIGN_SOURCE: Final = AT["campaign_source"]
_CAMPAIGN_MEDIUM: Final = AT["campaign_medium"]
_OUTCOME: Final = AT["outcome"]
_AMOUNT: Final = AT["amount"]
_CURRENCY: Final = AT["currency"]
_MARGIN: Final = AT["margin"]
_UNITS: Final = AT["units"]
_PROPS: Final = AT["props"]
_IDENTIFIERS: Final = AT["identifiers"]
_PERSONAL: Final = AT["personal"]
_PARTITION: Final = AT["log_partition"]
_OFFSET: Final = AT["log_offset"]
# A name of another module is looked up each time that it is used.
_COLUMN_OF: Final = COLUMN_OF
_TEMPLATES: Final = TEMPLATES
_OF_CONTEXT: Final = OF_CONTEXT
_AMOUNTS: Final = AMOUNTS
_DEFAULT_REST: Final = DEFAULT_REST
_OLD: Final = OLD
_NO_REST: Final[tuple[dict[str, str], dict[str, str]]] = ({}, {})


def read(value: bytes) -> Json:
    """Read an event of the log as plain JSON in today's shape, defaults left out.

    Raises ValueError when it is no event.
    """
    event = orjson.loads(value)
    if not isinstance(event, dict) or "type" not in event:
        raise ValueError("no event: a record without a type")
    if event.get("schema_version", 1) <= _OLD.get(event["type"], 0):
        return upcast(event)
    return event


def to_row(event: Json, partition: int, offset: int) -> tuple[object, ...]:
    """Lay an event that `read` gave out in the table's column order.

    Raises KeyError, TypeError or ValueError when a field is missing or of a wrong type.
    """
    kind: str = event["type"]
    row: list[Any] = _TEMPLATES.get(kind, BLANK).copy()
    rest = _DEFAULT_REST.get(kind, _NO_REST)
    props, personal = rest[0].copy(), rest[1].copy()
    amount_name = _AMOUNTS.get(kind, "")
    amount: Any = None
    for name, value in event.items():
        column = _COLUMN_OF.get(name, NO_COLUMN)
        if column >= 0:
            row[column] = value
        elif name == amount_name:
            amount = value
        elif column == NO_COLUMN:
            put(name, value, props, personal)
    context: Json | None = event.get("context")
    if context:
        _lay_context(context, row, props, personal)
    if amount is not None:
        row[_AMOUNT], row[_CURRENCY] = amount["amount"], amount["currency"]
    if "lines" in event or kind == "order_placed":
        _lay_order(event, row)
    row[_OCCURRED] = milliseconds(event["occurred_at"])
    row[_RECEIVED] = milliseconds(event["received_at"])
    row[_OUTCOME] = text(row[_OUTCOME])
    row[_IDENTIFIERS] = [_named(one) for one in event["identifiers"]]
    row[_PROPS], row[_PERSONAL] = props, personal
    row[_PARTITION], row[_OFFSET] = partition, offset
    # What every row must have: a template's None would be refused only by ClickHouse.
    row[_CUSTOMER], row[_EVENT] = event["customer_id"], event["event_id"]
    return tuple(row)


def _named(identifier: Json) -> str:
    kind: str = identifier["type"]
    value: str = identifier["value"]
    return kind + ":" + value


def _lay_order(event: Json, row: list[Any]) -> None:
    if "lines" in event:
        row[_UNITS] = sum([line.get("quantity", 1) for line in event["lines"]])
    if event["type"] == "order_placed":
        row[_MARGIN] = _margin(event)


def _lay_context(
    context: Json, row: list[Any], props: dict[str, str], personal: dict[str, str]
) -> None:
    for name, value in context.items():
        column = _OF_CONTEXT.get(name, NO_COLUMN)
        if column >= 0:
            if not row[column]:  # the event's own word goes first
                row[column] = value
        elif name != "campaign":
            put_said(name, value, props, personal)
    campaign: Json | None = context.get("campaign")
    if campaign is not None:
        row[_CAMPAIGN] = row[_CAMPAIGN] or campaign.get("name", "")
        row[_CAMPAIGN_SOURCE] = campaign.get("source", "")
        row[_CAMPAIGN_MEDIUM] = campaign.get("medium", "")


def _margin(order: Json) -> Decimal | None:
    """Return what an order leaves: `OrderPlaced.margin_minor`, without decoding it again."""
    stated: Json | None = order.get("margin")
    if stated is not None:
        return Decimal(stated["amount"])
    lines = order.get("lines")
    if not lines:
        return None
    kept = Decimal(order["total"]["amount"])
    for line in lines:
        if "cost" not in line:
            return None
        kept -= Decimal(line["cost"]["amount"]) * line.get("quantity", 1)
    for part in ("tax", "shipping"):
        if part in order:
            kept -= Decimal(order[part]["amount"])
    return kept
