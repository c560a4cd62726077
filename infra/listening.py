"""uvicorn's server, letting in the many who come at once within a few turns of its loop.

libuv accepts one connection a turn at each descriptor that it listens at (its pull request 3696).
Of clients that open their connections together the last one waited for as many turns as there were
clients: of 64, on a busy machine, up to half a second. So several descriptors lead to one socket.
"""

from __future__ import annotations

import asyncio
import os
import socket
from functools import partial
from typing import Final

import uvicorn

AT_ONCE: Final = 16  # connections a turn; who finds nobody waiting has lost less than 1 µs


class Listening(uvicorn.Server):
    """A server that listens at each of its sockets several times."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, then listen more often at the same."""
        await super().startup(sockets)
        protocol = partial(  # type: ignore[call-arg]  # as uvicorn itself: one of several classes
            self.config.http_protocol_class,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        loop = asyncio.get_running_loop()
        for listened in [one for server in self.servers for one in server.sockets]:
            for _ in range(AT_ONCE - 1):
                again = socket.socket(fileno=os.dup(listened.fileno()))
                self.servers.append(
                    await loop.create_server(protocol, sock=again, backlog=self.config.backlog)
                )
