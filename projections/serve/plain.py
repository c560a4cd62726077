"""Plain reads, answered as soon as they are read: without a task, without ASGI's messages.

Those cost more than an answer from memory does. What is answered here is what the application
would have answered, byte for byte; all that is not plain, or not so simple, goes there.

A client sends the same headers with each of its reads. Headers that were read once, and found
to be those of a plain read by somebody who may, are known again as they are: then only the
request's first line is read.
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import unquote

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from infra.answers import Answers, InPairs
from projections.serve.points import PATH, Answer, Points

_START: Final = PATH.encode()
_BODY: Final = frozenset((b"content-length", b"transfer-encoding"))
# A first line that any reader of HTTP reads alike; others are the parser's.
_LINE: Final = re.compile(rb"GET (/v1/profiles/[A-Za-z0-9._~%@:+/-]+) HTTP/1\.1")
_VERSIONS: Final = ("1.1", "1.0")
_END: Final = b"\r\n\r\n"


class PlainReads(Answers):
    """One connection, for uvicorn's `http`."""

    def __init__(self, points: Points, **given: Any) -> None:
        super().__init__(**given)
        self._points = points
        self._answered = False  # the request that is being read
        self._within = False  # a request: its end is still to come
        self._whole: bytes | None = None  # what came, where it may be a whole request
        # Nothing else is to be told of a request, and the parser has nothing to remember of it.
        self._short = not self.access_log and self.limit_concurrency is None
        self._opening: tuple[object, dict[int, bytes]] = (None, {})
        self._asked = 0.0  # when the newest one was answered here; the loop's time, s

    def data_received(self, data: bytes) -> None:
        """Answer a request whose headers are known; read on else."""
        if self._within or not self._short or not self._is_free():
            super().data_received(data)
            return
        answer = self._at_once(data)
        if answer is not None:
            self._unread = 0
            self._say(answer)
            return
        self._whole = data
        super().data_received(data)
        self._whole = None

    def on_message_begin(self) -> None:
        """Begin to read a request."""
        self._within = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Answer at once, or begin as uvicorn does."""
        stays = self.parser.should_keep_alive() and self.parser.get_http_version() == "1.1"
        self._short = self._short and stays and not self.parser.should_upgrade()
        answer = self._answer() if self._is_plain() else None
        self._answered = answer is not None
        if answer is None:
            super().on_headers_complete()
            return
        self._say(answer, last=not stays)

    def on_message_complete(self) -> None:
        """Take the end of a request."""
        self._within = False
        if not self._answered:
            super().on_message_complete()

    def timeout_keep_alive_handler(self) -> None:
        """Close what asks no more; who was answered here meanwhile has more time."""
        left = self._asked + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._close_in(left)
        else:
            super().timeout_keep_alive_handler()

    def _is_free(self) -> bool:
        """Tell whether nothing is under way, and what is written is read."""
        return self._is_idle() and not self.flow.write_paused

    def _is_plain(self) -> bool:
        """Tell whether nothing but an answer is asked for, and nothing is under way."""
        if not self.url.startswith(_START) or b"?" in self.url or b"#" in self.url:
            return False
        return not (
            not self._is_free()
            or self.access_log
            or self.limit_concurrency is not None
            or self.expect_100_continue
            or self.parser.get_method() != b"GET"
            or self.parser.get_http_version() not in _VERSIONS
            or self.parser.should_upgrade()
            or any(name in _BODY for name, _ in self.headers)
        )

    def _at_once(self, data: bytes) -> Answer | None:
        """Return the answer to a whole request with known headers."""
        line, _, head = data.partition(b"\r\n")
        if not self._points.knows(head):
            return None
        read = _LINE.fullmatch(line)
        return self._asked_for(read[1], None) if read else None

    def _answer(self) -> Answer | None:
        may, held = self._points.admit(self.headers)
        if not may:
            return None
        answer = self._asked_for(self.url, held)
        if answer is not None and self._short and held is None and self._whole is not None:
            line, _, head = self._whole.partition(b"\r\n")
            if _LINE.fullmatch(line) and head.find(_END) == len(head) - len(_END):
                self._points.remember(head)
        return answer

    def _asked_for(self, url: bytes, held: str | None) -> Answer | None:
        try:
            return self._points.at(_unquoted(url), held)
        except Exception:  # nothing is lost: the application meets it again, notes it and answers
            return None

    def _say(self, answer: Answer, *, last: bool = False) -> None:
        """Send an answer, the connection's last one or not, and be done with its request."""
        assert isinstance(self.transport, InPairs)
        opening = self._begun(answer.status)
        end = b"connection: close\r\n\r\n" if last else b"\r\n"
        self.transport.send(b"".join((opening, answer.head, end, answer.body)))
        self._came = True
        self._wait_no_more()
        if last:
            self.transport.close()
            self.on_response_complete()
            return
        self.server_state.total_requests += 1
        self._asked = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._close_in(self.timeout_keep_alive)

    def _begun(self, status: int) -> bytes:
        """Return how an answer begins: uvicorn has other headers for all, once a second."""
        of, known = self._opening
        if of is not self.server_state.default_headers:
            of, known = self._opening = self.server_state.default_headers, {}
        opening = known.get(status)
        if opening is None:
            lines = [b"%b: %b\r\n" % line for line in self.server_state.default_headers]
            opening = known[status] = b"".join((STATUS_LINE[status], *lines))
        return opening

    def _close_in(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )


def _unquoted(url: bytes) -> str:
    """Return a path without escapes: the two that identifiers are sent with, then any other."""
    if b"%" not in url:
        return url.decode("ascii")
    path = url.replace(b"%3A", b":").replace(b"%40", b"@").decode("ascii")
    return unquote(path) if "%" in path else path
