"""uvicorn's HTTP, an answer in one send: its head goes with its body, not before it.

uvloop sends each write at once, and a send is the dearest part of a small answer, here and at
whoever reads it. What comes alone (a stream's head, an answer without a body) waits for nothing:
it goes in the loop's next turn.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Answers(HttpToolsProtocol):
    """One connection, for uvicorn's `http`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection on."""
        super().connection_made(InPairs(transport))  # type: ignore[arg-type]


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
