"""The newest dead letters, followed from their topic for people to look at.

Shown is why and whence; the message itself stays in the topic (`c360 dead-letters`).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from typing import Any, NamedTuple

KEPT = 200


class DeadLetter(NamedTuple):
    """One message that was refused. `source` is its "topic/partition/offset"."""

    offset: int
    at_ms: int
    reason: str
    where: str
    detail: str
    source: str
    bytes: int


class DeadLetters:
    """The newest refused messages, and how many of them by reason."""

    def __init__(self) -> None:
        self._newest: deque[DeadLetter] = deque(maxlen=KEPT)

    def apply(self, records: Sequence[Any]) -> None:
        """Take in records of the topic (aiokafka's)."""
        self._newest.extend(read(record) for record in records)

    def newest(self, limit: int) -> list[DeadLetter]:
        """Return the newest ones, newest first."""
        return list(self._newest)[: -limit - 1 : -1]

    def reasons(self) -> Counter[str]:
        """Count the newest ones by reason."""
        return Counter(letter.reason for letter in self._newest)


def read(record: Any) -> DeadLetter:
    """Read what a record's headers tell."""
    headers = {name: value.decode("utf-8", "replace") for name, value in record.headers if value}
    return DeadLetter(
        offset=record.offset,
        at_ms=record.timestamp,
        reason=headers.get("reason", "unknown"),
        where=headers.get("where", ""),
        detail=headers.get("detail", "")[:500],
        source=headers.get("source", ""),
        bytes=len(record.value or b""),
    )
