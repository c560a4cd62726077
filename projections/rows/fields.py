"""The fields of an event that have no column of their own: `props`, and `personal`.

What may name a person, or was typed by one, is personal: analysts never see it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson


def _words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


# Fields that are laid out elsewhere, or say nothing to an analyst.
SPENT: Final = _words(
    "schema_version origin origin_offset observed_until context lines margin total amount"
)
# What a person wrote, or what tells who they are. `query` and the addresses hold what was typed.
_PERSONAL: Final = _words(
    "traits text notes subject query url referrer previous ip user_agent email phone mobile name",
    "first_name last_name firstname lastname full_name fullname username user_name address street",
    "city postal_code postcode zip birthday birth_date dob gender ssn passport",
    "agent staff owner",
)


def spread(rest: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Return what has no column, of an event, as (props, personal)."""
    props: dict[str, str] = {}
    personal: dict[str, str] = {}
    for name, value in rest.items():
        put(name, value, props, personal)
    return props, personal


def put(name: str, value: Any, props: dict[str, str], personal: dict[str, str]) -> None:
    """Add a field of an event to where it belongs, if anywhere."""
    if name == "properties":
        given: dict[str, Any] = value
        for key, said in given.items():
            (personal if key.lower() in _PERSONAL else props)[key] = text(said)
    else:
        put_said(name, value, props, personal)


def put_said(name: str, value: Any, props: dict[str, str], personal: dict[str, str]) -> None:
    """Add what is said under a name of ours to where it belongs."""
    if name in _PERSONAL:
        personal[name] = text(value)
    else:
        props[name] = text(value)


def text(value: object) -> str:
    """Return a value as text: a string as it is, None as empty, anything else as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value).decode()
