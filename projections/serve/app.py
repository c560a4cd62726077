"""Puts the API and the console together over one set of sources."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from infra.settings import Settings
from models.catalogue import Catalogue, parse
from projections.client import connect
from projections.serve import (
    board,
    considered,
    identity,
    models,
    offers,
    operations,
    problems,
    profiles,
    stream,
)
from projections.serve.asof import AsOf
from projections.serve.bodies import bounded
from projections.serve.console import pages
from projections.serve.keys import ApiKeys
from projections.serve.points import Points
from projections.serve.sources import Sources, wall_ms

OFFERS_SECONDS = 60  # for what ClickHouse tells of offers
ABOUT = """Live customer profiles: one customer, whole, in milliseconds, by any identifier.

Every call needs an API key (`Authorization: Bearer …` or `X-API-Key`). Errors are problem+json.
Times are ISO 8601 in UTC; money is a decimal string by ISO 4217 currency.
Read your own write: pass an ingest receipt as `wait_for`.
"""


class Api(FastAPI):
    """The server, with bounded bodies; its errors are described as the problems that they are."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        heard = bounded(receive) if scope["type"] == "http" else receive
        await super().__call__(scope, heard, send)

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        if self.openapi_schema is None:
            problems.describe(super().openapi())
        assert self.openapi_schema is not None
        return self.openapi_schema


def build(settings: Settings, sources: Sources, *, follow: bool = True) -> FastAPI:
    """Make the server. `follow` False: whoever calls fills the sources.

    Raises SettingsError when no API key is set, CatalogueError when the offers say nonsense.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if not follow:
            yield
            return
        async with sources.following():
            yield

    keys = ApiKeys(settings.api_keys.get_secret_value())
    app = Api(
        title="customer360 profile API",
        version="1",
        description=ABOUT,
        lifespan=lifespan,
        generate_unique_id_function=lambda route: route.name,
        openapi_url="/v1/openapi.json",
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
    )
    app.state.sources = sources
    app.state.settings = settings
    app.state.keys = keys
    app.state.points = Points(sources.live, sources.learnt, keys)
    app.state.as_of = AsOf(sources.live, sources.past, sources.learnt)
    app.state.catalogue = read_catalogue(settings)
    app.state.offers = offers.Offers(
        partial(connect, settings, timeout=OFFERS_SECONDS), app.state.catalogue, wall_ms
    )
    problems.install(app)
    for part in (profiles, considered, identity, board, models, offers, stream, operations):
        app.include_router(part.router)
    pages.install(app)
    return app


def read_catalogue(settings: Settings) -> Catalogue:
    """Read the offers, for their names."""
    return parse(settings.offers_text())
