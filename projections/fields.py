"""The fields of an event that have no column of their own: `props`, and `personal`.

What may name a person, or was typed by one, is personal: analysts never see it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson


def _words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


# Fields that have a column, or say nothing to an analyst.
_SPENT: Final = _words(
    "type schema_version event_id customer_id origin origin_offset occurred_at received_at source",
    "channel identifiers utc_offset_minutes context observed_until order_id ticket_id score offer",
    "decision_id duration_seconds wait_seconds path category topic name kind outcome lines total",
    "amount margin content_id campaign version place action group_id tier plan purpose status",
    "resolution stage granted",
)
# What a person wrote, or what tells who they are. `query` and the addresses hold what was typed.
_PERSONAL: Final = _words(
    "traits text notes subject query url referrer previous ip user_agent email phone mobile name",
    "first_name last_name firstname lastname full_name fullname username user_name address street",
    "city postal_code postcode zip birthday birth_date dob gender ssn passport",
    "agent staff owner",
)
_CONTEXT: Final = _words("campaign app_version device os locale place session_id")


def spread(
    event: Mapping[str, Any], context: Mapping[str, Any]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the fields without a column as (props, personal)."""
    props: dict[str, str] = {}
    personal: dict[str, str] = {}
    for name in event.keys() - _SPENT:
        if name == "properties":
            for key, value in event[name].items():
                (personal if key.lower() in _PERSONAL else props)[key] = text(value)
        else:
            (personal if name in _PERSONAL else props)[name] = text(event[name])
    for name in context.keys() - _CONTEXT:
        (personal if name in _PERSONAL else props)[name] = text(context[name])
    return props, personal


def text(value: object) -> str:
    """Return a value as text: a string as it is, None as empty, anything else as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value).decode()
