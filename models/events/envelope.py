"""What is known of a message beside its bytes: how it is written, when and where it came in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple, Self

from models.errors import Reason, TouchpointRejectedError
from models.events.base import MILLISECOND
from models.events.clock import EPOCH, MAX_MS

OURS: Final = (
    *("received_at", "source", "observed_until", "customer_id"),
    *("origin", "origin_offset", "generation"),
)


def instant(ms: int, where: str) -> datetime:
    """Return ms since 1970 as a time. Raises TouchpointRejectedError, naming where it was said."""
    if not 0 <= ms <= MAX_MS:
        raise TouchpointRejectedError(Reason.BAD_TIME, "not ms since 1970", where)
    return EPOCH + ms * MILLISECOND  # half of what naming the milliseconds takes


class Wire(NamedTuple):
    """What is known of a message beside its bytes. Times are ms since 1970."""

    format: str = "native"
    received_ms: int = 0
    source: str = ""
    sent_at: str | None = None
    observed_until_ms: int | None = None
    topic: str = ""
    partition: int = -1
    offset: int = -1

    @property
    def place(self) -> str:
        """The name of an event that came without one: its place in the log."""
        return f"{self.topic}-{self.partition}-{self.offset}"

    @classmethod
    def of(
        cls,
        headers: Iterable[tuple[str, bytes]],
        timestamp_ms: int,
        topic: str,
        partition: int,
        offset: int,
    ) -> Self:
        """Read a Kafka record's headers. Raises TouchpointRejectedError on a bad one."""
        given = dict(headers)
        received, until = given.get("received_at"), given.get("observed_until")
        sent_at = given.get("sent_at")
        return cls(
            given.get("format", b"native").decode("ascii", "replace"),
            timestamp_ms if received is None else _ms(received, "received_at"),
            given.get("source", b"").decode("ascii", "replace"),
            None if sent_at is None else sent_at.decode("ascii", "replace"),
            None if until is None else _ms(until, "observed_until"),
            topic,
            partition,
            offset,
        )


def _ms(digits: bytes, name: str) -> int:
    if not digits.isdigit() or len(digits) > 15:
        raise TouchpointRejectedError(Reason.BAD_TIME, "not ms since 1970", f"headers.{name}")
    return int(digits)
