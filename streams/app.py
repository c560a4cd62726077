"""The worker's application and its settings, put together once.

Importing a step imports this; nothing here connects to anything.
"""

from __future__ import annotations

import os

from infra.settings import Settings
from models.topics import CATALOGUE
from streams.lane import App
from streams.lane.conf import conf
from streams.lane.pages import serve

settings = Settings.from_env(os.environ)
rules = settings.identity_rules()
app = App(settings.topic_prefix + "worker", topics=CATALOGUE, **conf(settings))
serve(app)
