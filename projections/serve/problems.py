"""Errors as problem+json (RFC 9457): every error answer of the API has this form."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

_SCHEMA = {"$ref": "#/components/schemas/ProblemDetails"}
_log = logging.getLogger(__name__)


class ProblemDetails(BaseModel):
    """What went wrong, for people and programs."""

    type: str = Field(description="names the kind of problem", examples=["urn:c360:not-found"])
    title: str
    status: int
    detail: str
    errors: list[str] = Field(default=[], description="each fault of the request, with its place")


class Problem(Exception):
    """Answer with this problem."""

    def __init__(
        self, status: int, kind: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, kind, detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.headers = headers


def unknown(key: str) -> Problem:
    """Return the problem of a key that names nobody."""
    return Problem(404, "not-found", f"no customer is known as {key!r}")


def respond(
    status: int,
    kind: str,
    detail: str,
    errors: list[str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Write a problem as a response."""
    body: dict[str, object] = {
        "type": f"urn:c360:{kind}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = errors
    return Response(
        orjson.dumps(body), status, dict(headers or {}), media_type="application/problem+json"
    )


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return respond(error.status, error.kind, error.detail, headers=error.headers)


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    return respond(error.status_code, kind, str(error.detail), headers=error.headers)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [
        f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
        for fault in error.errors()
    ]
    return respond(422, "invalid-request", "the request does not read as it should", faults)


async def crash(request: Request, error: Exception) -> Response:
    """Answer what was not foreseen, telling nothing of it."""
    _log.error("%s %s", request.method, request.url.path, exc_info=error)
    return respond(500, "internal-error", "this was not foreseen; the server's log tells more")


def describe(openapi: dict[str, Any]) -> None:
    """Say in an OpenAPI document that the errors are problems, in problems' own media type."""
    for methods in openapi["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                if status >= "400":
                    response["content"] = {"application/problem+json": {"schema": _SCHEMA}}
    for unused in ("HTTPValidationError", "ValidationError"):
        openapi["components"]["schemas"].pop(unused, None)


def install(app: FastAPI) -> None:
    """Make every error of `app` a problem."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, crash)
