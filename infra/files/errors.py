"""The two errors of an import that its user can mend."""

from __future__ import annotations

from infra.errors import UserError


class FileUnreadableError(UserError):
    """A file or a mapping cannot be used as it is; the message says what to change."""


class LogUnavailableError(UserError):
    """Kafka is not there, or has no such topic; the message says what to do."""
