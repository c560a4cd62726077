"""Pages out of templates, in the reader's language, with headers that allow no foreign code."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from models.catalogue import Catalogue
from models.contracts import ends_ms
from projections.serve.console import charts, present
from projections.serve.console.customer import offer_name
from projections.serve.console.words import Words, choose, words
from projections.serve.sources import Sources
from projections.serve.stats import stats

ALERTS = 9
STALE_MS = 10_000  # the brokers have not answered for so long: say so
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Cache-Control": "no-store",  # a customer's data stays in no cache of a shared computer
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class Renderer:
    """Renders the console's templates."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {
            "moment": present.moment,
            "ends_ms": ends_ms,
            "money": present.sums,
            "number": present.whole_number,
            "said": present.said,
            "short": present.short,
            "percent": present.percent,
            "signed": present.signed,
            "kind_of": present.kind_of,
            "initials": present.initials,
        }

    def words(self, request: Request) -> Words:
        """Return the messages in the language that a request is to be answered in."""
        return words(
            choose(
                request.query_params.get("lang"),
                request.cookies.get("c360_language"),
                request.headers.get("accept-language"),
            )
        )

    def page(
        self, request: Request, template: str, status: int = 200, **shown: object
    ) -> HTMLResponse:
        """Render a whole page."""
        here = request.url.path if request.method == "GET" else "/"
        query = f"?{request.url.query}" if request.url.query else ""
        html = self.part(
            request,
            template,
            **{"who": None, "q": "", "here": quote(here + query, safe="")} | shown,
        )
        return HTMLResponse(html, status, HEADERS)

    def part(self, request: Request, template: str, **shown: object) -> str:
        """Render a template, whole page or not."""
        said = self.words(request)
        return self._environment.get_template(template).render(
            t=said,
            about=lambda event, summary: present.about(event, summary, said),
            span=lambda ms: present.span(ms, said),
            offer_name=lambda offer: offer_name(offer, self._catalogue, said),
            **shown,
        )

    def board(self, sources: Sources) -> dict[str, Any]:
        """Return what the board's templates show."""
        figures = stats(sources)
        live = sources.live
        now = live.now_ms()
        risk = self._catalogue.risk
        polled = sources.profiles.polled_ms
        return {
            "figures": figures,
            "spark": charts.spark(live.meter.series(now, 60)),
            "histogram": charts.histogram(live.board.histogram, (risk.low, risk.high)),
            "alerts": live.board.newest_alerts(ALERTS),
            "risk": risk,
            "letters": sources.dead_letters.newest(5),
            "reasons": sources.dead_letters.reasons().most_common(4),
            "behind": sources.profiles.lag,
            "silent_ms": now - polled if polled and now - polled > STALE_MS else 0,
        }
