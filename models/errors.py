"""The one error that is an answer: this message can never be accepted.

Two kinds of failure exist. A rejected message goes to the dead letters and the
stream goes on; anything else crashes the process and is redelivered.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a message was rejected. Fixed, so it can label a metric."""

    EMPTY = "empty"  # a null or empty value
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    UNKNOWN_FORMAT = "unknown_format"  # the `format` header names no known wire format
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_VERSION = "unknown_version"
    NO_IDENTIFIER = "no_identifier"
    BAD_TIME = "bad_time"  # before 1990, or too far in the future
    BAD_AMOUNT = "bad_amount"  # negative, not finite, or finer than the currency
    BAD_FIELD = "bad_field"
    REFUSED = "refused"  # a merge or an unmerge that a person asked for, and that cannot be


class TouchpointRejectedError(ValueError):
    """No retry can make this message valid: it goes to the dead letters.

    `where` is the path of the offending field ("lines.0.price"), empty for the whole.
    """

    def __init__(self, reason: Reason, detail: str, where: str = "") -> None:
        super().__init__(reason, detail, where)  # all three, so that it survives a process border
        self.reason = reason
        self.detail = detail
        self.where = where

    def __str__(self) -> str:
        place = f" at {self.where}" if self.where else ""
        return f"{self.reason}{place}: {self.detail}"
