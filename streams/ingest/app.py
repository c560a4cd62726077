"""The ingest application: `create_app(settings)`; nothing connects before it is started."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from infra.settings import Settings
from streams.ingest import openapi, problems
from streams.ingest.auth import Keys
from streams.ingest.gateway import Gateway
from streams.ingest.routes import router


@asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    gateway: Gateway = app.state.gateway
    gateway.log.start()
    yield
    await gateway.log.stop()


def create_app(settings: Settings) -> FastAPI:
    """Return the application. Raises KeysError without write keys: it lets nobody in then."""
    keys = Keys(settings.write_keys.get_secret_value())
    app = FastAPI(
        title="customer360 ingest",
        version="1",
        description="Touchpoints in: acknowledged once Kafka has them, judged one by one.",
        lifespan=_running,
    )
    app.state.keys = keys
    app.state.gateway = Gateway(settings, keys.names)
    app.include_router(router)
    app.add_exception_handler(problems.ProblemError, problems.on_problem)
    app.add_exception_handler(HTTPException, problems.on_http_error)
    app.add_exception_handler(RequestValidationError, problems.on_unknown_path)
    app.openapi = partial(openapi.document, app)  # type: ignore[method-assign]
    return app
