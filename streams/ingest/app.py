"""The ingest application: `create_app(settings)`; nothing connects before it is started.

Starlette alone, for a request's share of the work is its events, not its frame.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from infra.settings import Settings
from streams.ingest import openapi, problems
from streams.ingest.auth import Admins, Keys
from streams.ingest.commands import Commands
from streams.ingest.gateway import Gateway
from streams.ingest.routes import routes


@asynccontextmanager
async def _running(app: Starlette) -> AsyncIterator[None]:
    gateway: Gateway = app.state.gateway
    commands: Commands = app.state.commands
    gateway.log.start()
    commands.start()
    yield
    await gateway.log.stop()
    await commands.stop()


async def _described(_: Request) -> JSONResponse:
    return JSONResponse(openapi.document())


def create_app(settings: Settings) -> Starlette:
    """Return the application. Raises KeysError without write keys: it lets nobody in then.

    Read keys, where they are known, are only told from keys of nobody: they open nothing here.
    """
    keys = Keys(settings.write_keys.get_secret_value())
    gateway = Gateway(settings, keys.names)
    readers = settings.api_keys.get_secret_value()
    others = (keys, Keys(readers, "C360_API_KEYS")) if readers else (keys,)
    commands = Commands(settings, Admins(settings.admin_keys.get_secret_value(), others))
    app = Starlette(
        routes=[*routes(keys, gateway, commands), Route("/openapi.json", _described)],
        lifespan=_running,
        exception_handlers={
            problems.ProblemError: problems.on_problem,
            HTTPException: problems.on_http_error,
        },
    )
    app.state.gateway = gateway
    app.state.commands = commands
    return app
