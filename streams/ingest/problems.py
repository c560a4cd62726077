"""What is wrong with a request, as RFC 9457 problem documents.

`code` and `message` repeat the title and detail: Segment's clients look for them.
"""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"


class ProblemError(Exception):
    """The request is answered with this status and no event is acknowledged."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        retry_after: int | None = None,
        headers: dict[str, str] | None = None,
        **more: object,
    ) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.more = more
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(max(1, retry_after))

    def response(self) -> JSONResponse:
        """Return the answer to send."""
        body = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
            "code": self.status.phrase.lower().replace(" ", "_"),
            "message": self.detail,
        }
        return JSONResponse(
            body | self.more, self.status.value, headers=self.headers, media_type=MEDIA_TYPE
        )


async def on_problem(request: Request, error: Exception) -> JSONResponse:
    """Turn a ProblemError into its answer."""
    assert isinstance(error, ProblemError)
    request.app.state.gateway.metrics.requests[error.status.value] += 1
    return error.response()


def busy(detail: str, retry_after: int) -> ProblemError:
    """Return the answer that asks to come back later."""
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, retry_after=retry_after)


async def on_http_error(request: Request, error: Exception) -> JSONResponse:
    """Answer what the framework itself refuses: unknown paths and methods."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    return ProblemError(
        HTTPStatus(error.status_code), str(error.detail), headers=headers
    ).response()
