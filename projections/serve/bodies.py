"""Bodies of requests: the forms of the console alone have one, and none is long.

They are read before it is known who sends them, so a stranger's must not fill the memory.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

LARGEST: Final = 16 * 1024  # bytes


def bounded(receive: Receive) -> Receive:
    """Return what receives a request, and raises HTTPException 413 once its body is too large."""
    size = 0

    async def receive_some() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > LARGEST:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {LARGEST} bytes")
        return message

    return receive_some
