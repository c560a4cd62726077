"""Where each field of an event goes in a row of `touchpoints`: columns, and what fills them.

A kind of event says in its model what its fields are when nothing is said; a row has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

from models.events import Touchpoint
from models.upcasters import UPCASTERS
from projections.rows.fields import SPENT, spread
from projections.rows.kinds import LABEL, MILLISECONDS, MONEY, POSITION

COLUMNS: Final = {
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
}
AT: Final = {column: index for index, column in enumerate(COLUMNS)}
# The field of a kind of event that is its `amount`, and no property.
AMOUNTS: Final = {
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
# Where a field goes that has no column of its own: to `props` or `personal`; nowhere.
NO_COLUMN: Final = -1
NOWHERE: Final = -2
_SPENT: Final = dict.fromkeys(SPENT, NOWHERE)
# Two kinds of event may call one thing by two names; the column is the same.
COLUMN_OF: Final = (
    _SPENT
    | {name: AT[name] for name in AT if name not in ("amount", "margin")}
    | {
        name: AT[column]
        for column, names in {
            "item": ("content_id",),
            "app_version": ("version",),
            "name": ("action", "group_id", "tier"),
            "kind": ("plan", "purpose"),
            "outcome": ("status", "resolution", "stage", "granted"),
        }.items()
        for name in names
    }
)
OF_CONTEXT: Final = {
    name: AT[name] for name in ("app_version", "device", "os", "locale", "place", "session_id")
}


def _empty(defaults: Mapping[str, object]) -> list[Any]:
    """Return a row in which nothing is said but a kind of event's defaults."""
    empty: Mapping[str, Any] = {"String": "", LABEL: "", "UInt32": 0}
    row = [empty.get(type_) for type_ in COLUMNS.values()]
    for name, value in defaults.items():
        if COLUMN_OF.get(name, NO_COLUMN) >= 0:
            row[COLUMN_OF[name]] = str(value)
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
TEMPLATES: Final = {kind: _empty(defaults) for kind, defaults in _DEFAULTS.items()}
BLANK: Final = _empty({})
# Of what has no column: properties, and what is personal.
DEFAULT_REST: Final = {
    kind: spread({name: value for name, value in defaults.items() if name not in COLUMN_OF})
    for kind, defaults in _DEFAULTS.items()
}
# The newest version that is no longer today's, by kind.
OLD: Final = {kind: len(steps) for kind, steps in UPCASTERS.items()}
