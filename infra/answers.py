"""uvicorn's HTTP, an answer in one send, and nobody heard out for ever.

uvloop sends each write at once, and a send is the dearest part of a small answer, here and at
whoever reads it: so its head goes with its body, not before it. What comes alone (a stream's
head, an answer without a body) waits for nothing: it goes in the loop's next turn.

uvicorn takes headers of any size and waits for them without end, from strangers too. A body is
bounded by who reads it.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

LARGEST_HEAD: Final = 64 * 1024  # bytes of a request's line and headers, as of h11
PATIENCE: Final = 20.0  # seconds until a request's head is whole
_TOO_LARGE: Final = STATUS_LINE[431] + b"content-length: 0\r\nconnection: close\r\n\r\n"  # RFC 6585


class Answers(HttpToolsProtocol):
    """One connection, for uvicorn's `http`."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._came = False  # a head, a part of a body or an end, with what is being read
        self._unread = 0  # bytes that came since, and were none of these
        self._limit: asyncio.TimerHandle | None = None  # of a head that has begun

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection on."""
        super().connection_made(InPairs(transport))  # type: ignore[arg-type]
        self._limit = self.loop.call_later(PATIENCE, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the connection."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; hang up on a head, or trailers, without end."""
        self._came = False
        super().data_received(data)
        if self._came:
            self._unread = 0
            return
        self._unread += len(data)
        if self._unread > LARGEST_HEAD:
            self._give_up(_TOO_LARGE)
        elif self._limit is None and self._is_idle():
            self._limit = self.loop.call_later(PATIENCE, self._give_up)

    def on_headers_complete(self) -> None:
        """Begin with a request."""
        self._came = True
        self._wait_no_more()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Hand a part of a body on."""
        self._came = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        self._came = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Be done with a request, also one that was answered at its head."""
        self._came = True
        self._wait_no_more()
        super().on_response_complete()

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _wait_no_more(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def _give_up(self, answer: bytes = b"") -> None:
        if self._is_idle() and answer:
            self.transport.write(answer)
        self.transport.close()


class InPairs:
    """A transport that sends two writes that follow each other as one."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._first = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send with what waits; what has nothing before it waits for what follows."""
        if self._first:
            self.send(data)
        elif data:
            self._first = data
            self._loop.call_soon(self._alone)

    def send(self, data: bytes) -> None:
        """Send what is whole, after what waits."""
        first, self._first = self._first, b""
        self._transport.write(first + data if first else data)

    def close(self) -> None:
        """Send what waits, then close."""
        self._alone()
        self._transport.close()

    def _alone(self) -> None:
        if self._first and not self._transport.is_closing():
            self.send(b"")
