"""What is to be said of each event, before it is in the log.

The same reading that validating does later: what is accepted here is not buried there.
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from models.errors import TouchpointRejectedError
from models.events import Wire, parse
from models.identity import identify, primary
from models.identity_rules import SHIPPED, Rules

_UNNAMED = "--1--1"  # the id that `parse` gives an event that has none and no position yet


class Verdict(Struct, omit_defaults=True):
    """One event's answer; `receipt` is its place in the log: "touchpoints/3:1234"."""

    status: Literal["accepted", "rejected"]
    event_id: str | None = None
    receipt: str = ""
    index: int | UnsetType = UNSET
    reason: str | None = None
    where: str | None = None
    detail: str | None = None


def judge(
    raw: bytes, wire: Wire, max_bytes: int, rules: Rules = SHIPPED
) -> tuple[bytes | None, Verdict]:
    """Return the key to send an event under, and its verdict. A rejected one has no key."""
    try:
        event = identify(parse(raw, wire, max_bytes), "", 0, rules)
    except TouchpointRejectedError as rejected:
        return None, Verdict(
            "rejected",
            reason=rejected.reason.value,
            where=rejected.where or None,
            detail=rejected.detail,
        )
    key = str(primary(event.identifiers, rules)).encode()
    return key, Verdict("accepted", None if event.event_id == _UNNAMED else event.event_id)
