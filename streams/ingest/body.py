"""Reading a request's body: never more of it than allowed, packed or not."""

from __future__ import annotations

import asyncio
import zlib
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request

from streams.ingest.limits import Hold
from streams.ingest.problems import ProblemError

SECONDS = 30.0  # a body that takes longer than this is a stuck or hostile client
_GZIP = 31  # zlib's code for a gzip header with the largest window


async def read(request: Request, cap: int, hold: Hold) -> bytes:
    """Return the body, unpacked. Raises ProblemError: 400, 408, 413, 415 or 503."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > cap:
        raise _too_large(cap)
    inflate = _inflater(request)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(SECONDS):
            async for chunk in request.stream():
                piece = inflate.decompress(chunk, cap - size + 1) if inflate else chunk
                size += len(piece)
                if size > cap:
                    raise _too_large(cap)
                hold.add(len(piece))
                parts.append(piece)
    except TimeoutError as error:
        raise ProblemError(HTTPStatus.REQUEST_TIMEOUT, "the body did not arrive") from error
    except zlib.error as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"not gzip: {error}") from error
    except ClientDisconnect as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "the client went away") from error
    if inflate and (not inflate.eof or inflate.unused_data):
        raise ProblemError(HTTPStatus.BAD_REQUEST, "not one whole gzip member")
    return b"".join(parts)


def _inflater(request: Request) -> zlib._Decompress | None:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "gzip":
        return zlib.decompressobj(_GZIP)
    if encoding != "identity":
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "bodies are sent as they are or with gzip",
            headers={"Accept-Encoding": "gzip, identity"},
        )
    return None


def _too_large(cap: int) -> ProblemError:
    detail = f"more than {cap} bytes, unpacked"
    return ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, limit_bytes=cap)
