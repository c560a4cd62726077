"""The newest dead letters, followed from their topic for people to look at.

Shown is why and whence; the message itself stays in the topic (`c360 dead-letters`).
A letter that was sent again is no longer listed.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Sequence
from itertools import islice
from typing import Any, NamedTuple

from models import dead_letter

KEPT = 10_000


class Letter(NamedTuple):
    """One message that was refused. `source` is its "topic/partition/offset"."""

    offset: int
    at_ms: int
    reason: str
    where: str
    detail: str
    source: str
    bytes: int


class DeadLetters:
    """The newest messages that were refused and not sent again since."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[int, Letter] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def apply(self, records: Sequence[Any]) -> None:
        """Take in records of the topic (aiokafka's)."""
        for record in records:
            again = dead_letter.redriven(record.headers)
            if again is not None:
                self._waiting.pop(again, None)
                continue
            self._waiting[record.offset] = read(record)
            if len(self._waiting) > KEPT:
                self._waiting.popitem(last=False)

    def of(self, source: str) -> Letter | None:
        """Return the letter of the message that was at "topic/partition/offset", if it has one."""
        newest_first = reversed(self._waiting.values())
        return next((one for one in newest_first if one.source == source), None)

    def newest(self, limit: int) -> list[Letter]:
        """Return the newest ones, newest first."""
        return list(islice(reversed(self._waiting.values()), limit))

    def reasons(self) -> Counter[str]:
        """Count them by reason."""
        return Counter(letter.reason for letter in self._waiting.values())


def read(record: Any) -> Letter:
    """Read what a record's headers tell."""
    said = dead_letter.DeadLetter.of(record.headers)
    return Letter(
        offset=record.offset,
        at_ms=record.timestamp,
        reason=said.reason,
        where=said.where,
        detail=said.detail[:500],
        source=said.source,
        bytes=len(record.value or b""),
    )
