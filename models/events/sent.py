"""A touchpoint read in one go: what is sent by the book, which is nearly all that is sent.

What `read_sent` gives, the models give too, and the same; what it does not give, they judge.
So it may decline what they take, never the reverse.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from msgspec import UNSET
from msgspec.structs import astuple

from models.events.base import IdentifierType
from models.events.clock import believed, moved, read_time
from models.events.envelope import Wire, instant
from models.events.forms import LONGEST, SENT, ZONE, Named, read_form
from models.events.union import Touchpoint

_MINUTE: Final = timedelta(minutes=1)
_FARTHEST: Final = timedelta(minutes=ZONE)
_MANY: Final = 20  # identifiers
LONGEST_NUMBER: Final = 400  # characters: what is longer costs more to read than it can say
# One longer than that has two neighbours of every 200th byte: few messages are looked at whole.
_two_numeric: Final = re.compile(rb"[0-9.eE+-]{2}").search
_too_long: Final = re.compile(rb"[0-9.eE+-]{%d}" % (LONGEST_NUMBER + 1)).search


def read_sent(raw: bytes, wire: Wire, occurred: datetime | None = None) -> Touchpoint | None:
    """Read a touchpoint in the native format, in its lean form; None: the models are to judge.

    `occurred` is when it happened, where that is known better than from these bytes.
    """
    if len(raw) > LONGEST_NUMBER and _two_numeric(raw[:: LONGEST_NUMBER // 2]) and _too_long(raw):
        return None
    try:
        sent = read_form(raw)
        received = instant(wire.received_ms, "received_at")
        occurred, zone = _when(sent, wire, received, occurred)
        ends = wire.observed_until_ms
        ends_at = None if ends is None else instant(ends, "observed_until")
        who = sent.identifiers
        if type(who) is dict:
            who = _spelt_out(who)
    except (ValueError, OverflowError, RecursionError):
        return None
    event_id, source = sent.event_id or wire.place, wire.source
    if not 1 <= len(who) <= _MANY or len(event_id) > LONGEST or len(source) > LONGEST:
        return None
    # By place, as `Contact` orders them: by name it takes five times as long.
    values, own = astuple(sent), len(SENT) + sent.own
    touchpoint: Touchpoint = sent.logged(
        *(sent.schema_version, event_id, occurred, received, who, *values[len(SENT) : own]),
        *(source, "", "", -1, -1, zone, ends_at, *values[own:-1]),
    )
    return touchpoint


def _when(
    sent: Any, wire: Wire, received: datetime, known: datetime | None
) -> tuple[datetime, int | None]:
    """Return when it counts, in UTC, and the zone it was told in. Raises ValueError."""
    said, zone = sent.occurred_at, sent.utc_offset_minutes
    at = known or (received if said is UNSET else datetime.fromisoformat(said))
    if at.tzinfo is UTC:
        zone = None if zone is UNSET else zone
    else:
        offset = at.utcoffset()
        if offset is None or abs(offset) > _FARTHEST:
            raise ValueError("no zone, or none of this world")
        if zone is UNSET:  # UTC is the usual way to send a time: it tells no zone
            zone = offset // _MINUTE if offset else None
        at = at.astimezone(UTC)
    left = wire.sent_at if sent.sent_at is None else sent.sent_at
    if left is not None:
        clock = read_time(left, "sent_at")
        if said is not UNSET and wire.observed_until_ms is None:
            at = moved(at, clock, received)
    return believed(at, received), zone


def _spelt_out(short: dict[IdentifierType, Any]) -> tuple[Any, ...]:
    """Return identifiers that were written short: {"user_id": "ana", "email": ["a@x.kr"]}."""
    spelt = []
    for kind, said in short.items():
        if type(said) is str:
            spelt.append(Named(kind, said))
        else:
            spelt += [Named(kind, one) for one in said]
    return tuple(spelt)
