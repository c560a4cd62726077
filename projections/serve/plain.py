"""Plain reads, answered as soon as they are read: without a task, without ASGI's messages.

Those cost more than an answer from memory does. What is answered here is what the application
would have answered, byte for byte; all that is not plain, or not so simple, goes there.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from infra.answers import Answers, InPairs
from projections.serve.points import PATH, Answer, Points

_START: Final = PATH.encode()
_BODY: Final = frozenset((b"content-length", b"transfer-encoding"))


class PlainReads(Answers):
    """One connection, for uvicorn's `http`."""

    def __init__(self, points: Points, **given: Any) -> None:
        super().__init__(**given)
        self._points = points
        self._answered = False  # the request that is being read

    def on_headers_complete(self) -> None:
        """Answer at once, or begin as uvicorn does."""
        answer = self._answer() if self._is_plain() else None
        self._answered = answer is not None
        if answer is None:
            super().on_headers_complete()
            return
        assert isinstance(self.transport, InPairs)
        lines = [b"%b: %b\r\n" % line for line in self.server_state.default_headers]
        self.transport.send(
            b"".join((STATUS_LINE[answer.status], *lines, answer.head, b"\r\n", answer.body))
        )
        self.on_response_complete()

    def on_message_complete(self) -> None:
        """Take the end of a request."""
        if not self._answered:
            super().on_message_complete()

    def _is_plain(self) -> bool:
        """Tell whether nothing but an answer is asked for, and nothing is under way."""
        if not self.url.startswith(_START) or b"?" in self.url or b"#" in self.url:
            return False
        return not (
            (self.cycle is not None and not self.cycle.response_complete)
            or self.flow.write_paused
            or self.access_log
            or self.limit_concurrency is not None
            or self.expect_100_continue
            or self.parser.get_method() != b"GET"
            or self.parser.get_http_version() != "1.1"
            or self.parser.should_upgrade()
            or not self.parser.should_keep_alive()
            or any(name in _BODY for name, _ in self.headers)
        )

    def _answer(self) -> Answer | None:
        try:
            return self._points.at(unquote(self.url.decode("ascii")), self.headers)
        except Exception:  # nothing is lost: the application meets it again, notes it and answers
            return None
