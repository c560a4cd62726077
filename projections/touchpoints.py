"""The `touchpoints` read model: what customers did, with typed hot columns.

A field that has no column of its own goes to `props` as text, or to `personal` when
it may name a person: a new kind of event needs no change here, and analysts see no PII.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, get_args

import orjson

from models.events import Touchpoint
from models.upcasters import UPCASTERS, upcast
from projections.fields import spread, text
from projections.table import FIRST, LABEL, MILLISECONDS, MONEY, POSITION, Row, Table

Json = dict[str, Any]

TABLE = Table(
    name="touchpoints",
    columns={
        "customer_id": "String",
        "occurred_at": MILLISECONDS,
        "event_id": "String",
        "type": LABEL,
        "channel": LABEL,
        "received_at": MILLISECONDS,
        "utc_offset_minutes": "Nullable(Int16)",
        "source": LABEL,
        "campaign": LABEL,
        "campaign_source": LABEL,
        "campaign_medium": LABEL,
        "app_version": LABEL,
        "device": LABEL,
        "os": LABEL,
        "locale": LABEL,
        "place": LABEL,
        "session_id": "String",
        "name": LABEL,
        "kind": LABEL,
        "outcome": LABEL,
        "topic": LABEL,
        "path": "String",
        "item": "String",
        "category": LABEL,
        "order_id": "String",
        "amount": f"Nullable({MONEY})",
        "currency": LABEL,
        "margin": f"Nullable({MONEY})",
        "units": "UInt32",
        "ticket_id": "String",
        "score": "Nullable(Float64)",
        "offer": LABEL,
        "decision_id": "String",
        "duration_seconds": "Nullable(Float64)",
        "wait_seconds": "Nullable(Float64)",
        "props": "Map(LowCardinality(String), String)",
        "identifiers": "Array(String)",
        "personal": "Map(LowCardinality(String), String)",
        **POSITION,
    },
    engine=FIRST,
    # What names an event, none of what follows from receipt: all tries of a sender are one row.
    order_by="customer_id, event_id, source",
)

_AMOUNTS: Final = {
    "order_placed": "total",
    "order_refunded": "amount",
    "order_returned": "amount",
    "coupon_redeemed": "discount",
    "offer_accepted": "value",
    "lead_created": "value",
    "opportunity_changed": "value",
    "subscription_started": "price",
    "subscription_renewed": "price",
}
_AT: Final = {column: index for index, column in enumerate(TABLE.columns)}
_CUSTOMER, _EVENT, _OCCURRED, _RECEIVED, _OUTCOME, _AMOUNT, _CURRENCY, _MARGIN, _UNITS = (
    _AT[column]
    for column in (
        *("customer_id", "event_id", "occurred_at", "received_at", "outcome"),
        *("amount", "currency", "margin", "units"),
    )
)
_PROPS, _IDENTIFIERS, _PERSONAL, _PARTITION, _OFFSET = range(_AT["props"], len(_AT))
# Fields that are read by name, or not at all: they are no `props`.
_LAID_OUT: Final = frozenset(
    ("schema_version", "origin", "origin_offset", "observed_until", "context", "lines", "margin")
)
_NOTHING: Final[Json] = {}
# Two kinds of event may call one thing by two names; the column is the same.
_COLUMN_OF: Final = {name: _AT[name] for name in _AT if name not in ("amount", "margin")} | {
    name: _AT[column]
    for column, names in {
        "item": ("content_id",),
        "app_version": ("version",),
        "name": ("action", "group_id", "tier"),
        "kind": ("plan", "purpose"),
        "outcome": ("status", "resolution", "stage", "granted"),
    }.items()
    for name in names
}
_OF_CONTEXT: Final = {
    name: _AT[name] for name in ("app_version", "device", "os", "locale", "place", "session_id")
}


def _empty(defaults: Mapping[str, object]) -> list[Any]:
    """Return a row in which nothing is said but a kind of event's defaults."""
    empty: Mapping[str, Any] = {"String": "", LABEL: "", "UInt32": 0}
    row = [empty.get(type_) for type_ in TABLE.columns.values()]
    for name, value in defaults.items():
        if name in _COLUMN_OF:
            row[_COLUMN_OF[name]] = str(value)
    return row


# The log leaves defaults out; a row has them.
_DEFAULTS: Final[dict[str, dict[str, Any]]] = {
    str(kind.model_fields["type"].default): {
        name: str(field.default) if isinstance(field.default, str) else field.default
        for name, field in kind.model_fields.items()
        if isinstance(field.default, str | int)
        and field.default not in ("", -1)
        and name not in ("type", "schema_version")  # always in the log
    }
    for kind in get_args(get_args(Touchpoint)[0])
}
_TEMPLATES: Final = {kind: _empty(defaults) for kind, defaults in _DEFAULTS.items()}
_BLANK: Final = _empty({})
_DEFAULT_REST: Final = {
    kind: {name: value for name, value in defaults.items() if name not in _COLUMN_OF}
    for kind, defaults in _DEFAULTS.items()
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def milliseconds(iso: str) -> int:
    """Return an ISO time as ms since 1970. Raises ValueError or TypeError on anything else."""
    return (datetime.fromisoformat(iso) - _EPOCH) // _MILLISECOND


def read(value: bytes) -> Json:
    """Read an event of the log as plain JSON in today's shape, defaults left out.

    Raises ValueError when it is no event.
    """
    event: Json = orjson.loads(value)
    if not isinstance(event, dict) or "type" not in event:
        raise ValueError("no event: a record without a type")
    kind = event["type"]
    if event.get("schema_version", 1) <= len(UPCASTERS.get(kind, ())):
        event = upcast(event)
    return event


def to_row(event: Json, partition: int, offset: int) -> Row:
    """Lay an event that `read` gave out in the table's column order.

    Raises KeyError, TypeError or ValueError when a field is missing or of a wrong type.
    """
    kind: str = event["type"]
    row = _TEMPLATES.get(kind, _BLANK).copy()
    rest = _DEFAULT_REST.get(kind, _NOTHING).copy()
    for name, value in event.items():
        column = _COLUMN_OF.get(name)
        if column is not None:
            row[column] = value
        elif name not in _LAID_OUT:
            rest[name] = value
    context = event.get("context", _NOTHING)
    if context:
        _lay_context(context, row)
    amount = rest.pop(_AMOUNTS.get(kind, ""), None)
    if amount is not None:
        row[_AMOUNT], row[_CURRENCY] = amount["amount"], amount["currency"]
    if "lines" in event:
        row[_UNITS] = sum(line.get("quantity", 1) for line in event["lines"])
    if kind == "order_placed":
        row[_MARGIN] = _margin(event)
    row[_OCCURRED] = milliseconds(event["occurred_at"])
    row[_RECEIVED] = milliseconds(event["received_at"])
    row[_OUTCOME] = text(row[_OUTCOME])
    row[_IDENTIFIERS] = [one["type"] + ":" + one["value"] for one in event["identifiers"]]
    row[_PROPS], row[_PERSONAL] = spread(rest, context)
    row[_PARTITION], row[_OFFSET] = partition, offset
    # What every row must have: a template's None would be refused only by ClickHouse.
    row[_CUSTOMER], row[_EVENT] = event["customer_id"], event["event_id"]
    return tuple(row)


def _lay_context(context: Json, row: list[Any]) -> None:
    for name, value in context.items():
        column = _OF_CONTEXT.get(name)
        if column is not None and not row[column]:  # the event's own word goes first
            row[column] = value
    campaign = context.get("campaign")
    if campaign is not None:
        row[_AT["campaign"]] = row[_AT["campaign"]] or campaign.get("name", "")
        row[_AT["campaign_source"]] = campaign.get("source", "")
        row[_AT["campaign_medium"]] = campaign.get("medium", "")


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
