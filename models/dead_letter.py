"""A dead letter: a message that was refused, whole, with why and where it came from.

Key, value and headers are kept as received; what the stream adds are four headers
after them, so a sender's own header of the same name is never lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

from models.errors import TouchpointRejectedError

Headers = Sequence[tuple[str, bytes]]
ADDED = ("reason", "where", "detail", "source")
# On the mark that says a letter was sent again: the letter's offset.
REDRIVEN = "redriven"


class DeadLetter(NamedTuple):
    """Why a message was refused, whence it came, and the headers it came with."""

    reason: str
    where: str  # path of the offending field, empty for the whole
    detail: str
    source: str  # "topic/partition/offset"
    headers: tuple[tuple[str, bytes], ...]

    @classmethod
    def of(cls, headers: Headers) -> Self:
        """Read the headers of a record of the dead letters."""
        kept = list(headers)
        said = {name: _take_last(kept, name) for name in ADDED}
        return cls(
            said["reason"] or "unknown",
            said["where"],
            said["detail"],
            said["source"],
            tuple((name, value or b"") for name, value in kept),
        )


def headers_of(rejected: TouchpointRejectedError, source: str, headers: Headers) -> Headers:
    """Return the headers to bury a message with: its own, then the four that say why."""
    said = (rejected.reason.value, rejected.where, rejected.detail, source)
    return [*headers, *zip(ADDED, (text.encode() for text in said), strict=True)]


def redriven(headers: Headers) -> int | None:
    """Return the offset of the letter that this record marks as sent again; None: a letter."""
    for name, value in headers:
        if name == REDRIVEN:
            return int(value)
    return None


def _take_last(headers: list[tuple[str, bytes]], name: str) -> str:
    for index in range(len(headers) - 1, -1, -1):
        if headers[index][0] == name:
            return (headers.pop(index)[1] or b"").decode("utf-8", "replace")
    return ""
