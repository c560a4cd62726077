"""The topics that steps read, bound to the application.

What a step writes needs no binding: `Outbox.send` takes the catalogue's topic.
"""

from __future__ import annotations

from models import topics as catalogue
from streams.app import app

touchpoints = app.source(catalogue.TOUCHPOINTS)
identity_links = app.source(catalogue.IDENTITY_LINKS)
events = app.source(catalogue.EVENTS)
examples = app.source(catalogue.EXAMPLES)
alerts = app.source(catalogue.ALERTS)
