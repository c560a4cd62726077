"""What is believed of other people's clocks: the bounds of every time, and how one is set right.

When something happened is said by its sender's clock, when it came in by ours.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from mypy_extensions import i64

from models.errors import Reason, TouchpointRejectedError

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
YEARS: Final = (1901, 2199)  # of any time at all: beyond, converting zones may overflow
MAX_MS: Final = 7_258_118_399_999  # ms since 1970: the last one of these years
EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)  # of an event: before it, a clock was never set
AHEAD: Final = timedelta(hours=24)  # clocks are wrong by minutes and zones by hours, not days


def ms_of(at: datetime) -> int:
    """Return a time as whole ms since 1970."""
    since = at - EPOCH  # by its parts: to divide it takes longer
    days: i64 = since.days  # as machine integers: any others are objects as they grow so large
    seconds: i64 = since.seconds
    micros: i64 = since.microseconds
    return (days * 86_400 + seconds) * 1_000 + micros // 1_000


def read_time(said: object, where: str) -> datetime:
    """Read a time of a message. Raises TouchpointRejectedError, naming where it was said."""
    try:
        at = datetime.fromisoformat(str(said))
    except ValueError as error:
        detail = "a time is ISO 8601 text with its zone"
        raise TouchpointRejectedError(Reason.BAD_TIME, detail, where) from error
    if at.tzinfo is None:
        raise TouchpointRejectedError(Reason.BAD_TIME, "has no zone", where)
    return at


def moved(occurred: datetime, sent: datetime, received: datetime) -> datetime:
    """Return when it happened by our clock, where the sender's says when it was sent too.

    The way took no time, so what lies between `sent` and `received` is between the clocks.
    Raises TouchpointRejectedError on a time out of range.
    """
    try:
        return (received - (sent - occurred)).astimezone(occurred.tzinfo)
    except OverflowError as error:
        raise TouchpointRejectedError(Reason.BAD_TIME, "out of range", "occurred_at") from error


def believed(occurred: datetime, received: datetime) -> datetime:
    """Return when an event counts: when it happened, never later than it came in.

    A clock ahead of ours must not have the last word on a customer until ours is there too.
    Raises TouchpointRejectedError on what no clock of this world says.
    """
    if occurred <= received:
        if occurred >= EARLIEST:
            return occurred
    elif occurred <= received + AHEAD:
        return received
    detail = "before 1990, or over 24 h after it was received"
    raise TouchpointRejectedError(Reason.BAD_TIME, detail, "occurred_at")
