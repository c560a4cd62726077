"""The `touchpoints` read model: what customers did, with typed hot columns.

A field that has no column of its own goes to `props` as text, or to `personal` when
it may name a person: a new kind of event needs no change here, and analysts see no PII.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, get_args

import orjson

from models.events import Touchpoint
from models.upcasters import UPCASTERS, upcast
from projections.fields import spread, text
from projections.table import LABEL, MILLISECONDS, MONEY, POSITION, Row, Table

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
    engine="ReplacingMergeTree(log_offset)",
    order_by="customer_id, occurred_at, event_id",
    partition_by="toYYYYMM(occurred_at)",
)

# The log leaves defaults out; a row has them.
_DEFAULTS: Final[dict[str, tuple[tuple[str, Any], ...]]] = {
    str(kind.model_fields["type"].default): tuple(
        (name, str(field.default) if isinstance(field.default, str) else field.default)
        for name, field in kind.model_fields.items()
        if isinstance(field.default, str | int)
        and field.default not in ("", -1)
        and name not in ("type", "schema_version")  # always in the log
    )
    for kind in get_args(get_args(Touchpoint)[0])
}
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
# Two kinds of event may call one thing by two names; the column is the same.
_NAMES: Final = {"app_used": "action", "group_joined": "group_id", "tier_changed": "tier"}
_KINDS: Final = {
    "subscription_started": "plan",
    "subscription_renewed": "plan",
    "subscription_cancelled": "plan",
    "consent_changed": "purpose",
}
_OUTCOMES: Final = {
    "ticket_updated": "status",
    "ticket_closed": "resolution",
    "opportunity_changed": "stage",
    "consent_changed": "granted",
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def milliseconds(iso: str) -> int:
    """Return an ISO time as ms since 1970. Raises ValueError or TypeError on anything else."""
    return (datetime.fromisoformat(iso) - _EPOCH) // _MILLISECOND


def read(value: bytes) -> Json:
    """Read an event of the log as plain JSON in today's shape, defaults in.

    Raises ValueError when it is no event.
    """
    event: Json = orjson.loads(value)
    if not isinstance(event, dict) or "type" not in event:
        raise ValueError("no event: a record without a type")
    kind = event["type"]
    if event.get("schema_version", 1) <= len(UPCASTERS.get(kind, ())):
        event = upcast(event)
    for name, default in _DEFAULTS.get(kind, ()):
        event.setdefault(name, default)
    return event


def to_row(event: Json, partition: int, offset: int) -> Row:
    """Lay an event that `read` gave out in the table's column order.

    Raises KeyError, TypeError or ValueError when a field is missing or of a wrong type.
    """
    get = event.get
    kind: str = event["type"]
    context: Json = get("context") or {}
    campaign: Json = context.get("campaign") or {}
    amount: Json = get(_AMOUNTS.get(kind, "")) or {}
    props, personal = spread(event, context)
    return (
        event["customer_id"],
        milliseconds(event["occurred_at"]),
        event["event_id"],
        kind,
        event["channel"],
        milliseconds(event["received_at"]),
        get("utc_offset_minutes"),
        get("source", ""),
        campaign.get("name") or text(get("campaign")),
        campaign.get("source") or "",
        campaign.get("medium") or "",
        context.get("app_version") or get("version") or "",
        context.get("device") or "",
        context.get("os") or "",
        context.get("locale") or "",
        get("place") or context.get("place") or "",
        context.get("session_id") or "",
        get(_NAMES.get(kind, "name")) or "",
        get(_KINDS.get(kind, "kind")) or "",
        text(get(_OUTCOMES.get(kind, "outcome"))),
        get("topic") or "",
        get("path") or "",
        get("content_id") or "",
        get("category") or "",
        get("order_id") or "",
        amount.get("amount"),
        amount.get("currency") or "",
        _margin(event) if kind == "order_placed" else None,
        sum(line.get("quantity", 1) for line in get("lines", ())),
        get("ticket_id") or "",
        get("score"),
        get("offer") or "",
        get("decision_id") or "",
        get("duration_seconds"),
        get("wait_seconds"),
        props,
        [f"{identifier['type']}:{identifier['value']}" for identifier in event["identifiers"]],
        personal,
        partition,
        offset,
    )


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
